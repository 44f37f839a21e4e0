//! Where results stand: a path that is the same for every build of an image, and never a scheme, tag or digest, which
//! code scanning refuses or takes for a new alert.

use crate::model::{Finding, Location};
use crate::report::{ImageReport, place};
use sarif_rust::{ArtifactLocation, LogicalLocation, PhysicalLocation, Region};
use std::collections::HashMap;
use std::fmt::Write as _;

/// The one location of `finding`. Nothing of an image is a text in the repository, so the region is its first character.
pub(super) fn location(finding: &Finding, image: &ImageReport, repository: &str) -> sarif_rust::Location {
    let region =
        Region { start_line: Some(1), start_column: Some(1), end_line: Some(1), end_column: Some(1), ..Region::new() };
    let mut physical = PhysicalLocation::new();
    physical.artifact_location = Some(ArtifactLocation::new(uri(&finding.at, repository)));
    physical.region = Some(region);

    let name = image.names.first().unwrap_or(&image.source);
    let digest = image.manifest_digest.as_ref().unwrap_or(&image.config_digest);
    let (short, tail) = match &finding.at {
        Location::Image => (repository.to_owned(), String::new()),
        Location::Config { pointer } => (pointer.clone(), format!("#config{}", pointer.replace('/', "."))),
        Location::History { step, .. } => (format!("history step {step}"), format!("#history.{step}")),
        Location::File { path, .. } => (path.to_string(), format!(":{}", place::file(&finding.at))),
        Location::Annotation { key } => (key.clone(), format!("#annotations.{key}")),
    };
    let mut logical = LogicalLocation::new();
    logical.name = Some(short);
    logical.fully_qualified_name = Some(format!("{name}@{digest}{tail}"));
    logical.kind = Some("resource".to_owned());

    let mut location = sarif_rust::Location::new();
    location.physical_location = Some(physical);
    location.logical_locations = Some(vec![logical]);
    location
}

/// `container-image/<repository>/rootfs/<path>`, `.../config` or `.../history`, percent-encoded (RFC 3986).
fn uri(at: &Location, repository: &str) -> String {
    let mut uri = "container-image".to_owned();
    for segment in repository.split('/') {
        push_segment(&mut uri, segment.as_bytes());
    }
    match at {
        Location::File { path, .. } => {
            uri.push_str("/rootfs");
            for segment in path.components() {
                push_segment(&mut uri, segment);
            }
        }
        Location::History { .. } => uri.push_str("/history"),
        Location::Image | Location::Config { .. } | Location::Annotation { .. } => uri.push_str("/config"),
    }
    uri
}

fn push_segment(uri: &mut String, segment: &[u8]) {
    uri.push('/');
    for &byte in segment {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
}

/// The image's repository without registry, tag and digest; of an image without a name, its file's. Never empty, and no
/// segment of it is empty, `.` or `..`.
pub(super) fn repository(image: &ImageReport) -> String {
    let name = image.names.first().map_or_else(|| file_name(&image.source), |name| without_host_and_tag(name));
    let kept: Vec<&str> = name.split('/').filter(|part| !matches!(*part, "" | "." | ".." | "-")).collect();
    if kept.is_empty() { "image".to_owned() } else { kept.join("/") }
}

/// `host:5000/team/app:1.0@sha256:…` as `team/app`.
fn without_host_and_tag(name: &str) -> &str {
    let name = name.split('@').next().unwrap_or(name);
    // A colon after the last slash begins the tag; one before it, a registry's port.
    let tag = name.rfind(':').filter(|&colon| !name[colon..].contains('/'));
    let name = tag.map_or(name, |colon| &name[..colon]);
    match name.split_once('/') {
        Some((host, rest)) if host.contains(['.', ':']) || host == "localhost" => rest,
        _ => name,
    }
}

/// `docker-archive:build/app.tar` as `app.tar`.
fn file_name(source: &str) -> &str {
    let path = source.split_once(':').map_or(source, |(_, path)| path);
    path.trim_end_matches('/').rsplit('/').next().unwrap_or(path)
}

/// The `automationDetails.id` of each image: what tells its alerts from those of other images. Two images of one
/// repository and platform are told apart by number, because GitHub refuses equal ones.
pub(super) fn categories(images: &[ImageReport]) -> Vec<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    images
        .iter()
        .map(|image| {
            let mut id = "plimsoll".to_owned();
            for segment in repository(image).split('/') {
                push_segment(&mut id, segment.as_bytes());
            }
            push_segment(&mut id, image.platform.to_string().replace('/', "-").as_bytes());
            let number = seen.entry(id.clone()).or_default();
            *number += 1;
            if *number > 1 {
                let _ = write!(id, "-{number}");
            }
            id.push('/');
            id
        })
        .collect()
}
