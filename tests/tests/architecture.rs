//! The house rules that a compiler does not know: which crate may use which, and what is absent where.
//!
//! A new arrow is a decision: enter it here and in `ARCHITECTURE.md`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, PackageId};

/// Who may use whom among our own crates. Dev-dependencies are free: tests may look at anything.
const ARROWS: &[(&str, &[&str])] = &[
    (
        "standalone",
        &[
            "edge-agent",
            "stream-gateway",
            "control-plane",
            "server-kit",
            "demo-camera",
            "inference",
            "protocol",
            "runtime",
        ],
    ),
    ("edge-agent", &["stream-gateway", "inference", "analytics", "media", "protocol", "runtime"]),
    ("stream-gateway", &["media", "protocol", "runtime"]),
    ("control-plane", &["server-kit", "protocol", "runtime"]),
    ("server-kit", &["protocol", "runtime"]),
    ("inference", &["protocol"]),
    ("analytics", &["protocol"]),
    ("runtime", &["protocol"]),
    ("protocol", &[]),
    ("media", &[]),
    ("demo-camera", &[]),
];

/// Crates that are not shipped: they look at everything, and nothing may use them.
const ONLOOKERS: &[&str] = &["tests", "benches"];

/// Crates that decide and compute only: no IO, no async runtime, no clock.
const PURE: &[&str] = &["protocol", "media", "analytics"];

/// Libraries that only some of our crates may name.
const KNOWN_TO: &[(&str, &[&str])] = &[
    ("ort", &["inference"]),
    ("opencv", &["inference"]),
    ("retina", &["stream-gateway"]),
    ("mqtt5", &["standalone"]),
    ("rumqttc", &["edge-agent", "control-plane"]),
    ("gstreamer-rtsp-server", &["demo-camera"]),
];

fn metadata() -> Metadata {
    MetadataCommand::new().current_dir(root()).other_options(["--locked".into()]).exec().unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Our crates, each with the names of what it uses outside its tests.
fn direct(metadata: &Metadata) -> BTreeMap<String, BTreeSet<String>> {
    let used = |package: &cargo_metadata::Package| {
        let normal = package.dependencies.iter().filter(|d| d.kind != DependencyKind::Development);
        normal.map(|d| d.name.clone()).collect()
    };
    metadata.workspace_packages().into_iter().map(|p| (p.name.to_string(), used(p))).collect()
}

/// Everything that `crate_name` is built from, itself excluded.
fn reached(metadata: &Metadata, crate_name: &str) -> BTreeSet<String> {
    let nodes: BTreeMap<&PackageId, _> =
        metadata.resolve.as_ref().unwrap().nodes.iter().map(|node| (&node.id, node)).collect();
    let start = metadata.workspace_packages().into_iter().find(|p| p.name == crate_name).unwrap();
    let (mut seen, mut open) = (BTreeSet::new(), vec![&start.id]);
    while let Some(id) = open.pop() {
        for dep in &nodes[id].deps {
            let linked = dep.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal);
            if linked && seen.insert(&dep.pkg) {
                open.push(&dep.pkg);
            }
        }
    }
    seen.into_iter().map(|id| metadata[id].name.to_string()).collect()
}

#[test]
fn crates_use_each_other_only_along_the_arrows() {
    let found = direct(&metadata());
    let ours: BTreeSet<&str> = found.keys().map(String::as_str).collect();
    let listed: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).chain(ONLOOKERS.iter().copied()).collect();
    assert_eq!(ours, listed, "every crate of the workspace has its arrows listed");
    for (name, allowed) in ARROWS {
        let used: BTreeSet<&str> = found[*name].iter().map(String::as_str).filter(|dep| ours.contains(dep)).collect();
        let stray: Vec<_> = used.iter().filter(|dep| !allowed.contains(dep)).collect();
        assert!(stray.is_empty(), "{name} -> {stray:?} is not among the arrows");
    }
}

#[test]
fn libraries_are_known_only_where_they_belong() {
    let found = direct(&metadata());
    for (library, allowed) in KNOWN_TO {
        let users: Vec<&str> =
            found.iter().filter(|(_, used)| used.contains(*library)).map(|(name, _)| name.as_str()).collect();
        assert!(
            users.iter().all(|user| allowed.contains(user)),
            "{library} is used by {users:?}, not only {allowed:?}"
        );
    }
}

#[test]
fn the_control_plane_links_no_video_and_no_inference() {
    let metadata = metadata();
    let built_from = reached(&metadata, "control-plane");
    for absent in ["gstreamer", "opencv", "ort", "retina", "media", "inference", "analytics"] {
        assert!(!built_from.contains(absent), "control-plane is built from {absent}");
    }
}

#[test]
fn pure_crates_have_no_runtime_and_no_clock() {
    let metadata = metadata();
    for name in PURE {
        let built_from = reached(&metadata, name);
        for absent in ["tokio", "async-std", "smol", "mio", "futures-executor", "async-io", "sqlx", "reqwest"] {
            assert!(!built_from.contains(absent), "{name} is built from {absent}");
        }
        for (file, text) in sources(&format!("{name}/src/")) {
            for absent in ["SystemTime", "Instant", "now_v7", "std::fs", "std::net", "std::thread"] {
                assert!(!text.contains(absent), "{file} mentions {absent}: time and bytes are arguments here");
            }
        }
    }
}

#[test]
fn only_the_wire_module_knows_the_topics() {
    for (file, text) in all_sources() {
        let knows = string_literals(&text).iter().any(|literal| literal.contains("site/v1"));
        assert!(!knows || file == "protocol/src/wire.rs", "{file} spells out an MQTT topic: use `protocol::wire`");
    }
}

#[test]
fn only_the_two_links_use_the_mqtt_client() {
    let homes = ["edge-agent/src/link", "control-plane/src/ingest"];
    for (file, text) in all_sources() {
        let allowed = homes.iter().any(|home| file.starts_with(home));
        assert!(allowed || !text.contains("rumqttc::"), "{file} uses the MQTT client: only {homes:?} may");
    }
}

#[test]
fn only_stores_know_sql() {
    for (file, text) in all_sources() {
        let path = Path::new(&file);
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let in_store = name == "store.rs" || path.components().any(|part| part.as_os_str() == "store");
        // What the stores stand on.
        let allowed = in_store || file.starts_with("server-kit/src/db/");
        let found = string_literals(&text).into_iter().find(|literal| is_sql(literal));
        assert!(allowed || found.is_none(), "{file} holds SQL, which belongs into a store: {}", found.unwrap());
    }
}

#[test]
fn long_files_say_why() {
    let kinds = ["rs", "ts", "vue", "mjs", "py", "sh"];
    for (file, text) in tracked() {
        let lines = text.lines().count();
        let is_source = Path::new(&file).extension().and_then(|e| e.to_str()).is_some_and(|e| kinds.contains(&e));
        let top = text.lines().take(12).collect::<Vec<_>>().join(" ").to_lowercase();
        let reason = top.contains("auto-generated") || top.contains("longer than 500 lines because");
        assert!(
            !is_source || lines <= 500 || reason,
            "{file} has {lines} lines: split it, or say at its top why it is longer than 500 lines"
        );
    }
}

#[test]
fn files_speak_of_the_project_alone() {
    // Put together here so that this file does not hold what it looks for.
    let folders = ["work", "root", "home"].map(|name| format!("/{name}/"));
    let hosts = [("registry.npm", "js.org"), ("py", "pi.org"), ("pythonhosted", ".org"), ("deb.debian", ".org")];
    let hosts = hosts.map(|(start, end)| format!("{start}{end}"));
    for (file, text) in tracked() {
        for (number, line) in text.lines().enumerate() {
            for folder in &folders {
                let at_start = |at: usize| !line[..at].ends_with(|c: char| c.is_alphanumeric() || "._-*})".contains(c));
                let machine = line.match_indices(folder.as_str()).any(|(at, _)| at_start(at));
                assert!(!machine, "{file}:{} names a folder of one machine: {line}", number + 1);
            }
            let host = hosts.iter().find(|host| line.contains(host.as_str()));
            assert!(host.is_none(), "{file}:{} names the host of a package registry: {line}", number + 1);
        }
    }
}

/// Tracked and new text files, with their paths from the root.
fn tracked() -> Vec<(String, String)> {
    let root = root();
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .current_dir(&root)
        .output()
        .expect("git lists the project's files");
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let listed = String::from_utf8(listed.stdout).unwrap();
    let read = |file: &str| Some((file.to_owned(), fs::read_to_string(root.join(file)).ok()?));
    let files: Vec<_> = listed.split_terminator('\0').filter_map(read).collect();
    assert!(files.len() > 50, "only {} files found", files.len());
    files
}

/// The Rust sources below `folder`.
fn sources(folder: &str) -> Vec<(String, String)> {
    let is_source = |file: &str| file.starts_with(folder) && Path::new(file).extension().is_some_and(|e| e == "rs");
    let found: Vec<_> = tracked().into_iter().filter(|(file, _)| is_source(file)).collect();
    assert!(!found.is_empty(), "no sources below {folder}");
    found
}

/// The Rust sources of what is shipped. Test modules look at databases and wires from outside.
fn all_sources() -> Vec<(String, String)> {
    let shipped = ARROWS.iter().map(|(name, _)| *name);
    let is_test = |file: &str| file.contains("/tests/") || file.ends_with("/tests.rs");
    shipped.flat_map(|name| sources(&format!("{name}/src/"))).filter(|(file, _)| !is_test(file)).collect()
}

fn is_sql(literal: &str) -> bool {
    let words: Vec<String> = literal.split_whitespace().map(str::to_lowercase).collect();
    let at = |word: &str| words.iter().position(|w| w == word);
    let pair =
        |first: &str, second: &[&str]| words.windows(2).any(|w| w[0] == first && second.contains(&w[1].as_str()));
    pair("insert", &["into", "or"])
        || pair("delete", &["from"])
        || pair("create", &["table", "index", "unique", "trigger"])
        || pair("alter", &["table"])
        || words.windows(3).any(|w| w[0] == "update" && w[2] == "set")
        // A sentence may select something from somewhere as well; a query begins with it.
        || at("select") == Some(0) && at("from").is_some_and(|from| from > 0)
}

/// The string literals of a Rust source: plain, byte and raw ones, without comments.
fn string_literals(source: &str) -> Vec<String> {
    let (mut found, mut rest) = (Vec::new(), source);
    while let Some(first) = rest.chars().next() {
        let skip = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some((literal, length)) = raw_literal(rest) {
            found.push(literal);
            length
        } else if first == '"' {
            let end = end_of_literal(&rest[1..]);
            found.push(rest[1..=end].to_owned());
            (end + 2).min(rest.len())
        } else if first == '\'' {
            // A quote in a character literal opens no string; a lifetime has no closing quote.
            ["'\"'", "'\\\"'", "'\\''", "'\\\\'"].iter().find(|c| rest.starts_with(**c)).map_or(1, |c| c.len())
        } else {
            first.len_utf8()
        };
        rest = &rest[skip..];
    }
    found
}

/// A raw literal at the start of `rest`, and its length in the source.
fn raw_literal(rest: &str) -> Option<(String, usize)> {
    let inner = rest.strip_prefix('r')?;
    let hashes = inner.len() - inner.trim_start_matches('#').len();
    let body = inner[hashes..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    let end = body.find(&close).unwrap_or(body.len());
    Some((body[..end].to_owned(), (1 + hashes + 1 + end + close.len()).min(rest.len())))
}

/// Where the literal ends whose opening quote has been read.
fn end_of_literal(body: &str) -> usize {
    let mut escaped = false;
    for (at, c) in body.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at,
            _ => {}
        }
    }
    body.len()
}

#[test]
fn the_checks_see_what_they_look_for() {
    let source =
        "let a = \"one \\\" two\"; // \"comment\"\nlet b = r#\"three \"x\"\"#; let c = '\"'; fn f<'a>() {} b\"four\"";
    assert_eq!(string_literals(source), ["one \\\" two", "three \"x\"", "four"]);
    for sql in
        ["select 1 from t", "insert into t values (1)", "UPDATE t\n  SET a = 1", "create table t (a)", "delete from t"]
    {
        assert!(is_sql(sql), "{sql}");
    }
    for words in ["select a camera", "you may select one from the list", "updates are set aside", "a table was created"]
    {
        assert!(!is_sql(words), "{words}");
    }
}
