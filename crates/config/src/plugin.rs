//! The `plugins` block: which plugins are asked for, and the settings of each.

use std::path::Path;
use std::sync::Arc;

use kit::hcl::{Document, Field, Section};

use super::block::{Block, Unknown, nearest};
use super::external::{External, PluginData, checksum};
use super::given::Given;
use super::problem::Problem;
use super::read::text_of;
use super::report::{Ledger, Place};

/// A plugin that a file asks for.
pub(crate) struct Plugin<'a> {
    pub(crate) kind: &'a str,
    pub(crate) name: &'a str,
    /// Where its name stands.
    pub(crate) place: Place,
    ledger: &'a Ledger,
    file: Arc<str>,
    data: Data<'a>,
    /// The program that it is, if it is none of ours.
    external: Option<External>,
}

enum Data<'a> {
    Inline(Section<'a>),
    File(Document),
}

/// A plugin that SPIRE has.
pub(crate) struct Known {
    pub(crate) kind: &'static str,
    pub(crate) name: &'static str,
    /// What it would do, if it is not there yet.
    pub(crate) would: Option<&'static str>,
}

impl Plugin<'_> {
    /// The plugin's own settings.
    pub(crate) fn data(&self) -> Block<'_> {
        let path = format!("{} {:?} plugin_data", self.kind, self.name);
        match &self.data {
            Data::Inline(section) => Block::new(self.ledger, Arc::clone(&self.file), &path, section.clone()),
            Data::File(document) => {
                let section = Section::of(document.root());
                Block::new(self.ledger, Arc::from(document.file()), &path, section)
            }
        }
    }

    /// The program that the plugin is, if it is none of ours.
    pub(crate) fn external(&self) -> Option<&External> {
        self.external.as_ref()
    }

    /// For a plugin without settings: any key is unknown.
    pub(crate) fn no_settings(&self, unknown: Unknown) {
        self.data().finish(unknown);
    }
}

/// The plugins of a file.
#[derive(Default)]
pub(crate) struct Plugins<'a> {
    /// Those that are enabled and there, in the order they stand.
    pub(crate) list: Vec<Plugin<'a>>,
    /// The type of each that is enabled, there or not.
    asked: Vec<&'a str>,
}

/// Reads the `plugins` block. What is enabled and not there is reported.
pub(crate) fn plugins<'a>(top: &Block<'a>, known: &[Known]) -> Plugins<'a> {
    let mut plugins = Plugins::default();
    let Some(block) = top.block("plugins") else {
        let why = "it holds the plugins to run with";
        top.mistake(top.nowhere(), Problem::Required { key: "plugins".to_owned(), why });
        return plugins;
    };
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for kind in block.all_fields() {
        let kind_name = kind.key().name.as_str();
        if !known.iter().any(|one| one.kind == kind_name) {
            let nearest = nearest(kind_name, known.iter().map(|one| one.kind));
            let (what, section) = (kind_name.to_owned(), "plugins".to_owned());
            block.mistake(place(&block, kind), Problem::Unknown { what, section, nearest });
            continue;
        }
        let Some(section) = block.section_of(kind_name, kind) else { continue };
        for plugin in section.fields() {
            let id = (kind_name, plugin.key().name.as_str());
            if seen.contains(&id) {
                let problem = Problem::PluginTwice { kind: id.0.to_owned(), name: id.1.to_owned() };
                block.mistake(place(&block, plugin), problem);
            } else {
                seen.push(id);
                let read = read(&block, id, plugin, known, &mut plugins.asked);
                plugins.list.extend(read);
            }
        }
    }
    plugins
}

fn place(block: &Block<'_>, field: &Field<'_>) -> Place {
    Place::At { file: Arc::clone(block.file()), at: field.key().at }
}

/// Reads the keys around a plugin's own settings. None if it is disabled, or was reported.
fn read<'a>(
    block: &Block<'a>,
    (kind, name): (&'a str, &'a str),
    field: &Field<'a>,
    known: &[Known],
    asked: &mut Vec<&'a str>,
) -> Option<Plugin<'a>> {
    let section = block.section_of(name, field)?;
    let start = section.at();
    let keys = Block::new(block.ledger(), Arc::clone(block.file()), &format!("{kind} {name:?}"), section);
    let enabled = keys.switch("enabled").is_none_or(|given| given.value);
    let command = keys.text("plugin_cmd");
    let args = keys.texts("plugin_args").into_iter().map(|given| given.value).collect();
    let sum = keys.text("plugin_checksum");
    for companion in ["plugin_args", "plugin_checksum"] {
        for field in keys.fields(companion) {
            if command.is_none() {
                let problem = Problem::Needs { key: companion.to_owned(), needs: "plugin_cmd" };
                keys.mistake(place(&keys, &field), problem);
            }
        }
    }
    let inline = keys.section("plugin_data");
    let file = keys.text("plugin_data_file");
    let both = inline.is_some() && file.is_some();
    keys.finish(Unknown::Warn);

    let place = place(block, field);
    if !enabled {
        return None;
    }
    asked.push(kind);
    if command.is_none() && !is_there(block, (kind, name), &place, known) {
        return None;
    }
    if both {
        block.mistake(place, Problem::OnlyOne(vec!["plugin_data", "plugin_data_file"]));
        return None;
    }
    let external = match command {
        None => None,
        Some(command) => {
            may_be_external(block, (kind, name), &place)?;
            let checksum = checksum(block, sum);
            let data = match (&inline, &file) {
                (Some(inline), _) => PluginData::Inline(inline.print().trim_end().to_owned()),
                (None, Some(file)) => PluginData::File(file.value.clone().into()),
                (None, None) => PluginData::None,
            };
            Some(External { name: name.to_owned(), command: command.value.into(), args, checksum, data })
        }
    };
    let data = match file {
        // An external plugin reads its file by itself.
        Some(file) if external.is_none() => Data::File(data_file(block, file)?),
        _ => Data::Inline(inline.unwrap_or_else(|| Section::empty(start))),
    };
    Some(Plugin { kind, name, place, ledger: block.ledger(), file: Arc::clone(block.file()), data, external })
}

/// Refuses programs where only what is built in will do.
fn may_be_external(block: &Block<'_>, (kind, name): (&str, &str), place: &Place) -> Option<()> {
    let would = match (kind, name) {
        ("DataStore", _) => {
            let with = "with DataStore: the registry is kept by the built-in \"sql\" alone, as in SPIRE";
            block.mistake(place.clone(), Problem::NoMeaning { key: "plugin_cmd".to_owned(), with });
            return None;
        }
        ("NodeAttestor", "join_token") => {
            let with = "with NodeAttestor \"join_token\", which only the server itself can judge";
            block.mistake(place.clone(), Problem::NoMeaning { key: "plugin_cmd".to_owned(), with });
            return None;
        }
        ("CredentialComposer", _) => "let a program change what stands in credentials",
        ("SVIDStore", _) => "let a program keep SVIDs",
        _ => return Some(()),
    };
    let what = format!("external plugin {kind} {name:?} (plugin_cmd)");
    block.mistake(place.clone(), Problem::NotYet { what, would });
    None
}

/// Whether the plugin can be run with; if not, that is reported.
fn is_there(block: &Block<'_>, (kind, name): (&str, &str), place: &Place, known: &[Known]) -> bool {
    let problem = match known.iter().find(|one| one.kind == kind && one.name == name) {
        Some(Known { would: None, .. }) => return true,
        Some(Known { would: Some(would), .. }) => {
            Problem::NotYet { what: format!("plugin {kind} {name:?}"), would }
        }
        None => {
            let names = known.iter().filter(|one| one.kind == kind).map(|one| one.name);
            let (what, section) = (name.to_owned(), format!("plugins.{kind}"));
            Problem::Unknown { what, section, nearest: nearest(name, names) }
        }
    };
    block.mistake(place.clone(), problem);
    false
}

/// Reads the file that holds a plugin's settings.
fn data_file(block: &Block<'_>, file: Given<String>) -> Option<Document> {
    let Given { value: path, place } = file;
    let text = match text_of(Path::new(&path)) {
        Ok(text) => text,
        Err(error) => {
            let (key, cause) = ("plugin_data_file".to_owned(), error.to_string());
            block.mistake(place, Problem::Unreadable { key, path, cause });
            return None;
        }
    };
    match kit::hcl::parse(&path, text.as_bytes()) {
        Ok(document) => Some(document),
        Err(error) => {
            let place = Place::At { file: Arc::from(error.file()), at: error.at() };
            block.mistake(place, Problem::Syntax(error));
            None
        }
    }
}

impl Plugins<'_> {
    /// Reports it if not as many plugins of a type are asked for as there must be.
    ///
    /// `wanted` says in words how many that is.
    pub(crate) fn count(
        &self,
        top: &Block<'_>,
        kind: &'static str,
        (wanted, range): (&'static str, std::ops::RangeInclusive<usize>),
        known: &[Known],
    ) {
        let found = self.asked.iter().filter(|asked| **asked == kind).count();
        if range.contains(&found) {
            return;
        }
        let known: Vec<String> = known
            .iter()
            .filter(|one| one.kind == kind && one.would.is_none())
            .map(|one| format!("{:?}", one.name))
            .collect();
        let problem = Problem::PluginCount { kind, wanted, found, known: known.join(", ") };
        top.mistake(top.nowhere(), problem);
    }
}
