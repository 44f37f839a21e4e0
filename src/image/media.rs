//! What media types mean: which documents, configs and layers are an image's, and what else travels in registries.

use std::fmt;

/// What a media type says of a manifest blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentKind {
    /// An OCI index or Docker manifest list.
    Index,
    /// An OCI or Docker v2s2 image manifest.
    Manifest,
    /// Docker's manifest of schema 1.
    Schema1,
    /// Nothing is said.
    Unlabelled,
    /// Anything else.
    Other,
}

impl fmt::Display for DocumentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Index => "an image index",
            Self::Manifest => "an image manifest",
            Self::Schema1 => "a manifest of schema 1",
            Self::Unlabelled => "an unlabelled document",
            Self::Other => "another kind of document",
        })
    }
}

/// What a manifest's media type says.
#[must_use]
pub fn document_kind(media_type: &str) -> DocumentKind {
    match media_type {
        "" => DocumentKind::Unlabelled,
        "application/vnd.oci.image.index.v1+json" | "application/vnd.docker.distribution.manifest.list.v2+json" => {
            DocumentKind::Index
        }
        "application/vnd.oci.image.manifest.v1+json" | "application/vnd.docker.distribution.manifest.v2+json" => {
            DocumentKind::Manifest
        }
        "application/vnd.docker.distribution.manifest.v1+json"
        | "application/vnd.docker.distribution.manifest.v1+prettyjws" => DocumentKind::Schema1,
        _ => DocumentKind::Other,
    }
}

/// What a layer's media type says. Its compression is not believed: content tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayerKind {
    /// A tar, however compressed.
    Tar,
    /// A tar that may be kept elsewhere (`nondistributable`, `foreign`).
    Foreign,
    /// Encrypted (ocicrypt).
    Encrypted,
    /// Nothing is said.
    Unlabelled,
}

/// Reads a layer's media type. Errors with what it is when it is no layer of an image: `a helm chart`.
pub fn layer_kind(media_type: &str) -> Result<LayerKind, String> {
    let rest = ["application/vnd.oci.image.layer.", "application/vnd.docker.image.rootfs."]
        .iter()
        .find_map(|prefix| media_type.strip_prefix(prefix));
    match rest {
        _ if media_type.is_empty() => Ok(LayerKind::Unlabelled),
        Some(rest) if rest.ends_with("+encrypted") => Ok(LayerKind::Encrypted),
        Some(rest) if !rest.split(['.', '+']).any(|part| part == "tar") => Err(artifact(media_type)),
        Some(rest) if rest.starts_with("nondistributable.") || rest.starts_with("foreign.") => Ok(LayerKind::Foreign),
        Some(_) => Ok(LayerKind::Tar),
        None => Err(artifact(media_type)),
    }
}

/// Checks that a config's media type is that of an image; nothing said passes. Errors with what it is.
pub fn image_config(media_type: &str) -> Result<(), String> {
    match media_type {
        "" | "application/vnd.oci.image.config.v1+json" | "application/vnd.docker.container.image.v1+json" => Ok(()),
        other => Err(artifact(other)),
    }
}

/// Media types that begin so belong to what stands beside them.
const ARTIFACTS: &[(&str, &str)] = &[
    ("application/vnd.buildkit.cacheconfig.", "a build cache"),
    ("application/vnd.cncf.flux.", "a Flux artifact"),
    ("application/vnd.cncf.helm.", "a Helm chart"),
    ("application/vnd.cncf.openpolicyagent.", "an Open Policy Agent bundle"),
    ("application/vnd.cyclonedx", "an SBOM"),
    ("application/vnd.dev.cosign.", "a cosign signature or attestation"),
    ("application/vnd.dev.sigstore.", "a Sigstore bundle"),
    ("application/vnd.docker.ai.", "a model"),
    ("application/vnd.docker.plugin.", "a Docker plugin"),
    ("application/vnd.in-toto", "an attestation"),
    ("application/vnd.module.wasm.", "a WebAssembly module"),
    ("application/vnd.oci.empty.", "an artifact without config"),
    ("application/vnd.oci.image.layer.nydus.", "a Nydus layer"),
    ("application/vnd.sylabs.sif.", "a Singularity image"),
    ("application/vnd.wasm.", "a WebAssembly module"),
    ("application/vnd.cncf.model.", "a model"),
    ("text/spdx", "an SBOM"),
];

/// What a media type that is no image's stands for, the type in parentheses.
#[must_use]
pub fn artifact(media_type: &str) -> String {
    let shown: String = crate::model::visible_str(media_type).chars().take(100).collect();
    let known = ARTIFACTS.iter().find(|(prefix, _)| media_type.starts_with(prefix));
    format!("{} ({shown})", known.map_or("an unknown type", |(_, what)| what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_and_what_is_none() {
        for (media_type, kind) in [
            ("", LayerKind::Unlabelled),
            ("application/vnd.oci.image.layer.v1.tar", LayerKind::Tar),
            ("application/vnd.oci.image.layer.v1.tar+zstd", LayerKind::Tar),
            ("application/vnd.docker.image.rootfs.diff.tar.gzip", LayerKind::Tar),
            ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", LayerKind::Foreign),
            ("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", LayerKind::Foreign),
            ("application/vnd.oci.image.layer.v1.tar+gzip+encrypted", LayerKind::Encrypted),
            ("application/vnd.docker.image.rootfs.diff.tar.gzip+encrypted", LayerKind::Encrypted),
        ] {
            assert_eq!(layer_kind(media_type), Ok(kind), "{media_type}");
        }
        for (media_type, what) in [
            ("text/html", "an unknown type (text/html)"),
            (
                "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
                "a Helm chart (application/vnd.cncf.helm.chart.content.v1.tar+gzip)",
            ),
            ("application/vnd.in-toto+json", "an attestation (application/vnd.in-toto+json)"),
            (
                "application/vnd.oci.image.layer.nydus.blob.v1",
                "a Nydus layer (application/vnd.oci.image.layer.nydus.blob.v1)",
            ),
        ] {
            assert_eq!(layer_kind(media_type), Err(what.to_owned()));
        }
    }
}
