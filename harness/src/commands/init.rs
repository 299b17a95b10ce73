//! `wireproof init`: a first scenario with its golden, in a folder of the user's own.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};
use nodes::Registry;

use crate::catalog::{self, GOLDENS, Root, SCENARIOS};
use crate::cli::Init;
use crate::files::{self, Real, Within};
use crate::golden;
use crate::outcome::Walked;
use crate::report::EXIT_HOLDS;
use crate::streams;
use crate::text::shell;
use crate::walk::Walk;

const ID: &str = "first/fin-meets-closed-port";

const SCENARIO: &str = r#"{
  "$schema": "../schema.json",
  "title": "A bare FIN meets a closed port",
  "note": "Change a value and run it again: the difference is told field by field.",
  "cites": ["RFC 9293 3.10.7.1"],
  "nodes": {
    "sender":   { "kind": "tester", "mac": "02:00:00:00:00:01", "ip": "10.0.0.1" },
    "receiver": { "kind": "reject", "mac": "02:00:00:00:00:02", "ip": "10.0.0.2" }
  },
  "links": [{ "ends": ["sender", "receiver"], "delay": "1ms" }],
  "steps": [
    { "at": "0ms", "node": "sender",
      "send": { "tcp": { "src": 4000, "dst": 80, "seq": 123, "flags": "F" } } },
    { "within": "5ms", "from": "receiver",
      "expect": { "tcp": { "seq": 0, "ack": 124, "flags": "RA" } },
      "note": "123 and 1 for the FIN" }
  ]
}
"#;

/// What a review leaves until it is carried out, and a kill for good.
const IGNORED: &str = "*.pcapng.new\n*.snap.new\n.*.tmp\n";

/// Makes the folders, the schema, a scenario and its golden; returns the exit code. Nothing that
/// is there is touched.
///
/// # Errors
/// When the folder has scenarios already, or cannot be written.
pub fn init(words: &Init, registry: Registry) -> Result<u8> {
    // What is made in the current folder is told as a user would type it.
    let here = words.dir == Path::new(".");
    let dir = if here { Path::new("") } else { &words.dir };
    for folder in [SCENARIOS, GOLDENS] {
        // A link that leads nowhere is there as well.
        if files::identity(&dir.join(folder)).is_some() {
            bail!("{} is there already; nothing was changed", dir.join(folder).display());
        }
    }
    let path = dir.join(SCENARIOS).join(ID).with_extension("json");
    std::fs::create_dir_all(if here { Path::new(".") } else { dir })
        .with_context(|| format!("cannot make {}", dir.display()))?;
    let write = |path: &Path, text: &str| {
        files::write_own(&Real, path, Within(dir), |file| Ok(file.write_all(text.as_bytes())?))
    };
    write(&path, SCENARIO)?;
    write(&dir.join(SCENARIOS).join("schema.json"), &super::lists::schema_text()?)?;
    write(&dir.join(GOLDENS).join(".gitignore"), IGNORED)?;
    let root = Root { dir: dir.to_owned() };
    let items = catalog::select(Some(&root), &[ID.to_owned()])?;
    let walk = Walk { registry, ..Walk::standard() };
    let mut message = String::new();
    for item in &items {
        let Walked::Judged(judged) = walk.item(item) else {
            bail!("the first scenario did not run: this is a fault of wireproof, please report it");
        };
        golden::bless(item, &judged.run.transcript.capture)?;
        message += &format!("made {}\n", crate::text::path(&path));
        message += &format!("made {}\n", crate::text::path(&item.golden));
    }
    let root =
        if here { String::new() } else { format!(" --root {}", shell(&dir.display().to_string())) };
    message += &format!("run it: wireproof run fin-meets-closed-port -v{root}\n");
    streams::print(&message)?;
    Ok(EXIT_HOLDS)
}
