//! The prose for users, held against the program: every example of `docs/scenarios.md` is read,
//! planned and run, and every command of `README.md` says what stands under it.

mod manual;
mod promises;
mod readme;

use testing::project;

fn read(name: &str) -> String {
    let path = project().join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A fenced block of a Markdown text.
#[derive(Debug)]
struct Block {
    /// Its line in the file, from 1, for a failure that can be found.
    line: usize,
    /// What stands behind the opening fence.
    info: String,
    text: String,
}

/// The fenced blocks in order. An indented block or a block in a list is none.
fn blocks(markdown: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (number, line) in (1..).zip(markdown.lines()) {
        match (line.strip_prefix("```"), open.take()) {
            (Some(info), None) => {
                open = Some(Block { line: number, info: info.trim().into(), text: String::new() });
            }
            (Some(_), Some(block)) => blocks.push(block),
            (None, Some(mut block)) => {
                block.text += line;
                block.text.push('\n');
                open = Some(block);
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a fence that is never closed: {open:?}");
    blocks
}

/// What stands between single backticks, block by block left out.
fn spans(markdown: &str) -> Vec<&str> {
    let mut spans = Vec::new();
    for (index, part) in markdown.split("```").enumerate() {
        if index % 2 == 0 {
            spans.extend(part.split('`').skip(1).step_by(2));
        }
    }
    spans
}

#[test]
fn blocks_and_spans_are_found() {
    let text = "a `b` c\n```json step\n{}\n```\n`d\ne`\n```\n$ x\n```\n";
    let found = blocks(text);
    assert_eq!(found.len(), 2);
    assert_eq!(
        (found[0].line, found[0].info.as_str(), found[0].text.as_str()),
        (2, "json step", "{}\n")
    );
    assert_eq!((found[1].line, found[1].info.as_str()), (7, ""));
    assert_eq!(spans(text), ["b", "d\ne"]);
}
