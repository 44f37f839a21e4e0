//! Tiny images as text: the language of rule examples and of testdata/images. Reads the text; `tar.rs` makes the bytes.
//! Judges nothing. `docs/rule-format.md` is the language's reference.

mod tar;
mod text;

use super::Params;
use super::file::line_in;
use std::collections::BTreeMap;

/// Makes a text that no file of the repository may hold, such as a token, from its name; `None` when it knows none.
pub type Generate<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// A tiny image, not yet bytes.
#[derive(Clone, Debug, Default)]
pub struct ExampleImage {
    /// Its tags.
    pub names: Vec<String>,
    /// `os/architecture[/variant]`.
    pub platform: String,
    /// RFC 3339; empty when it has none.
    pub created: String,
    /// Annotations of its manifest.
    pub annotations: BTreeMap<String, String>,
    /// What the container starts with.
    pub config: ExampleConfig,
    /// In order.
    pub history: Vec<ExampleStep>,
    /// The entries of each layer, from the base up, in the order of the text.
    pub layers: Vec<Vec<ExampleEntry>>,
    /// Values for the rule's parameters.
    pub params: Params,
    /// A text that one of the messages must have.
    pub says: Option<String>,
}

/// `config` of the image config; empty means unset.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExampleConfig {
    /// `User`.
    pub user: String,
    /// `Env`.
    pub env: Vec<String>,
    /// `Entrypoint`.
    pub entrypoint: Vec<String>,
    /// `Cmd`.
    pub cmd: Vec<String>,
    /// `WorkingDir`.
    pub workdir: String,
    /// `Volumes`.
    pub volumes: Vec<String>,
    /// `ExposedPorts`.
    pub exposed_ports: Vec<String>,
    /// `Labels`.
    pub labels: BTreeMap<String, String>,
    /// `Healthcheck.Test`.
    pub healthcheck: Vec<String>,
    /// `StopSignal`.
    pub stop_signal: String,
    /// `Shell`.
    pub shell: Vec<String>,
    /// `OnBuild`.
    pub onbuild: Vec<String>,
}

impl Default for ExampleConfig {
    /// A config that little can be said against.
    fn default() -> Self {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self {
            user: "10001".to_owned(),
            env: Vec::new(),
            entrypoint: Vec::new(),
            cmd: words(&["/app"]),
            workdir: String::new(),
            volumes: Vec::new(),
            exposed_ports: Vec::new(),
            labels: BTreeMap::new(),
            healthcheck: words(&["CMD", "/app", "--health"]),
            stop_signal: String::new(),
            shell: Vec::new(),
            onbuild: Vec::new(),
        }
    }
}

/// A step of the history.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExampleStep {
    /// As builders write it.
    pub created_by: String,
    /// Whether it made no layer.
    pub empty_layer: bool,
    /// Its comment, such as `buildkit.dockerfile.v0`.
    pub comment: String,
}

/// An entry of a layer.
#[derive(Clone, Debug)]
pub struct ExampleEntry {
    /// Its name in the tar, without a leading slash.
    pub name: String,
    /// What it is.
    pub kind: ExampleKind,
    /// Permission bits, 12 of them.
    pub mode: u32,
    /// Owner.
    pub uid: u64,
    /// Owning group.
    pub gid: u64,
    /// Modification time, seconds since 1970.
    pub mtime: u64,
    /// Extended attributes.
    pub xattrs: Vec<(String, Vec<u8>)>,
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExampleKind {
    /// A regular file.
    File(Vec<u8>),
    /// A directory.
    Dir,
    /// A symbolic link.
    Symlink(String),
    /// Another name of a file.
    HardLink(String),
    /// A character device.
    Char(u32, u32),
    /// A block device.
    Block(u32, u32),
    /// A named pipe.
    Fifo,
    /// A whiteout: the path is gone. The name is the path's, not the marker's.
    Removed,
    /// A directory that hides what lower layers have in it.
    Opaque,
}

impl ExampleImage {
    /// Reads an image. The error is a line of `text`, from 0, and a sentence.
    pub fn read(text: &str, generate: &Generate<'_>) -> Result<Self, (u32, String)> {
        let written: text::Image = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(0, |span| line_in(text, span.start));
            (line, error.message().trim().replace('\n', ", "))
        })?;
        let mut image = Self {
            names: written.names,
            platform: written.platform,
            created: written.created,
            annotations: written.annotations,
            config: written.config,
            history: Vec::new(),
            layers: Vec::new(),
            params: written.params,
            says: written.says,
        };
        for layer in written.layer {
            let mut entries: Vec<_> = layer.into_iter().collect();
            entries.sort_by_key(|(path, _)| path.span().start);
            let read = |(path, entry): (toml::Spanned<String>, text::Entry)| {
                let line = line_in(text, path.span().start);
                let path = path.into_inner();
                entry.read(&path, generate).map_err(|what| (line, format!("'{path}': {what}")))
            };
            image.layers.push(entries.into_iter().map(read).collect::<Result<_, _>>()?);
        }
        image.history = written.history.unwrap_or_else(|| image.default_history());
        image.fill_in(generate).map_err(|what| (0, what))?;
        Ok(image)
    }

    /// One step a layer, as BuildKit writes them.
    fn default_history(&self) -> Vec<ExampleStep> {
        let step = |layer: usize| ExampleStep {
            created_by: format!("COPY layer-{layer} / # buildkit"),
            comment: "buildkit.dockerfile.v0".to_owned(),
            empty_layer: false,
        };
        (0..self.layers.len()).map(step).collect()
    }

    /// Replaces `{{generate:NAME}}` in every text outside the layers, which did so when they were read.
    fn fill_in(&mut self, generate: &Generate<'_>) -> Result<(), String> {
        let config = &mut self.config;
        let lists = [
            &mut config.env,
            &mut config.entrypoint,
            &mut config.cmd,
            &mut config.volumes,
            &mut config.exposed_ports,
            &mut config.healthcheck,
            &mut config.shell,
            &mut config.onbuild,
            &mut self.names,
        ];
        let texts = lists
            .into_iter()
            .flatten()
            .chain(config.labels.values_mut())
            .chain(self.annotations.values_mut())
            .chain(self.history.iter_mut().map(|step| &mut step.created_by))
            .chain([&mut config.user, &mut config.workdir, &mut config.stop_signal]);
        for text in texts {
            *text = text::filled(text, generate)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ExampleImage, (u32, String)> {
        ExampleImage::read(text, &|name| (name == "token").then(|| "s3cr3t".to_owned()))
    }

    #[test]
    fn what_is_left_out_has_a_default() {
        let image = read("[[layer]]\n\"/a\" = \"b\"\n").expect("well formed");
        assert_eq!(image.config.user, "10001");
        assert_eq!(image.history.len(), 1);
        assert_eq!(image.platform, "linux/amd64");
        let image = read("config.user = ''\nconfig.cmd = []\nconfig.labels.\"a.b\" = 'c'\n").expect("well formed");
        assert!(image.config.user.is_empty() && image.config.cmd.is_empty());
        assert_eq!(image.config.labels["a.b"], "c");
    }

    #[test]
    fn entries_keep_the_order_of_the_text() {
        let image =
            read("[[layer]]\n\"/z\" = ''\n\"/a/\" = {}\n\"/m\" = { link = '../x' }\n\"/b\" = { remove = true }\n")
                .expect("well formed");
        let seen: Vec<_> = image.layers[0].iter().map(|entry| (entry.name.as_str(), entry.kind.clone())).collect();
        assert_eq!(
            seen,
            [
                ("z", ExampleKind::File(Vec::new())),
                ("a", ExampleKind::Dir),
                ("m", ExampleKind::Symlink("../x".to_owned())),
                ("b", ExampleKind::Removed),
            ]
        );
    }

    #[test]
    fn generated_texts_are_filled_in_everywhere() {
        let image = read(
            "config.env = ['A={{generate:token}}']\n[[history]]\ncreated_by = 'ARG {{generate:token}}'\n\
             [[layer]]\n\"/a\" = { generate = 'token', mode = 0o600 }\n\"/b\" = 'x={{generate:token}};'\n",
        )
        .expect("well formed");
        assert_eq!(image.config.env, ["A=s3cr3t"]);
        assert_eq!(image.history[0].created_by, "ARG s3cr3t");
        assert_eq!(image.layers[0][0].kind, ExampleKind::File(b"s3cr3t".to_vec()));
        assert_eq!(image.layers[0][0].mode, 0o600);
        assert_eq!(image.layers[0][1].kind, ExampleKind::File(b"x=s3cr3t;".to_vec()));
    }

    #[test]
    fn errors_say_where() {
        for (text, line, part) in [
            ("config.user = ''\nconfig.usr = ''\n", 1, "usr"),
            ("[[layer]]\n\"/a\" = ''\n\"/b\" = { mode = '9' }\n", 2, "mode"),
            ("[[layer]]\n\"/b\" = { link = 'a', content = 'b' }\n", 1, "'/b': "),
            ("[[layer]]\n\"/b\" = { generate = 'nothing' }\n", 1, "nothing"),
            ("[[layer]]\n\"/b\" = { base64 = '!' }\n", 1, "base64"),
            ("names = [\n", 0, "array"),
        ] {
            let (at, what) = read(text).expect_err(text);
            assert!(at == line && what.contains(part), "{text:?}: {at}: {what}");
        }
    }
}
