//! Checks a line of nft before `nft` reads it. The line has to be one complete rule that reads no
//! file and opens, closes or changes no table and no chain. Knows the language's words and quotes;
//! the rule's meaning is checked by `nft`.

/// Words that read a file, give names to what is read, or are about more than a rule.
const NOWHERE: &[(&str, &str)] = &[
    ("include", "it reads a file"),
    ("define", "it names what other lines hold"),
    ("redefine", "it names what other lines hold"),
    ("undefine", "it names what other lines hold"),
    ("table", "the node has one table, which is made for it"),
    ("chain", "the node's chain is made for it"),
    ("flush", "the node's tables are new and empty"),
    ("cgroupv2", "it looks for a file of this machine"),
];

/// Words that begin a command or a setting of the chain, and never a rule.
const NOT_FIRST: &[&str] = &[
    "add", "comment", "create", "delete", "describe", "destroy", "devices", "elements", "export",
    "flags", "hook", "import", "insert", "list", "monitor", "policy", "rename", "replace", "set",
    "type",
];

/// Headers whose bytes a rule names by place: `@th,16,16`. All else behind an `@` is the name of a
/// set, and there is none.
const RAW: [&str; 4] = ["ll", "nh", "th", "ih"];

/// No rule that a person writes is longer.
const MOST_BYTES: usize = 4096;

/// Says whether a line is a single rule.
///
/// # Errors
/// Names what it may not hold, and why.
pub fn check_rule(line: &str) -> Result<(), String> {
    if line.len() > MOST_BYTES {
        return Err(format!("a rule of {} bytes; it has at most {MOST_BYTES}", line.len()));
    }
    let refused = |reason: String| Err(format!("`{}`: {reason}", shown(line)));
    if line.chars().any(char::is_control) {
        return refused("a rule is one line, without control characters".to_owned());
    }
    let mut depth = 0_usize;
    let mut words = 0_usize;
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let (token, behind) = match first {
            '"' => match rest[1..].find('"') {
                Some(end) => rest.split_at(end + 2),
                None => return refused("a quote is left open".to_owned()),
            },
            _ if is_word(first) => rest.split_at(rest.find(|c| !is_word(c)).unwrap_or(rest.len())),
            _ => rest.split_at(first.len_utf8()),
        };
        rest = behind;
        match first {
            '\\' => return refused("`\\` joins lines, and a rule is one".to_owned()),
            '"' if token.contains('\\') => {
                return refused("nft has no `\\` within quotes".to_owned());
            }
            ';' => return refused("`;` begins another line; write each rule by itself".to_owned()),
            '#' => {
                return refused("`#` begins a comment, which the scenario's `note` is for".into());
            }
            '$' => return refused("`$` is a name for what another line holds".to_owned()),
            '{' => depth += 1,
            '}' if depth == 0 => return refused("`}` closes what it did not open".to_owned()),
            '}' => depth -= 1,
            '@' if !RAW.iter().any(|raw| rest.starts_with(&format!("{raw},"))) => {
                return refused("`@` names a set, and the node's table has none".to_owned());
            }
            _ if !first.is_ascii() => {
                return refused("outside quotes a rule is ASCII".to_owned());
            }
            _ if is_word(first) => {
                words += 1;
                let lower = token.to_ascii_lowercase();
                // nft begins a new word behind digits and behind a dash that follows them.
                let parts = lower.split(|c: char| !c.is_ascii_alphanumeric());
                let parts = parts.map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit()));
                for part in parts.chain([lower.as_str()]) {
                    if let Some((word, why)) = NOWHERE.iter().find(|(word, _)| *word == part) {
                        return refused(format!("`{word}` stands in no rule: {why}"));
                    }
                }
                if words == 1 && NOT_FIRST.contains(&lower.as_str()) {
                    return refused(format!("`{token}` begins no rule"));
                }
            }
            _ => {}
        }
    }
    match (depth, words) {
        (0, 0) => refused("no rule".to_owned()),
        (0, _) => Ok(()),
        _ => refused("a `{` is left open".to_owned()),
    }
}

/// A text of the user's as a message shows it: whatever it holds, it stays in its line.
pub(crate) fn shown(text: &str) -> String {
    let whole = |c: char| if c.is_control() { c.escape_debug().to_string() } else { c.to_string() };
    text.chars().map(whole).collect()
}

/// What a word of nft is made of: in its lexer names hold dots, slashes and dashes too.
fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_-./".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_that_people_write_pass() {
        for line in [
            "tcp dport 9999 drop",
            "tcp dport { 80, 443, 1000-1010 } reject with icmp type host-unreachable",
            "tcp flags syn tcp option maxseg size set 1200",
            "tcp flags & (fin|syn|rst|ack) == syn tcp option maxseg size set rt mtu",
            "iifname \"left\" tcp dport 80 dnat ip to 10.0.2.1:8080",
            "oifname \"right\" masquerade",
            "ip6 saddr fd00::/64 counter accept",
            "tcp dport 80 log prefix \"a; b } include\" drop",
            "@th,16,16 80 drop",
            "ct state { established, related } accept",
            "ip daddr 10.0.2.9 ip daddr set 10.0.2.1",
            "reset tcp option sack-perm",
            "tcp dport vmap { 80 : accept, 81 : drop }",
            "jump { tcp dport 80 accept }",
            "tcp dport 80 drop comment \"set type\"",
            "meta mark set 0x1",
        ] {
            assert_eq!(check_rule(line), Ok(()), "{line}");
        }
    }

    #[test]
    fn what_reads_a_file_or_leaves_the_chain_is_refused_with_its_reason() {
        for (line, word) in [
            ("include \"/etc/passwd\"", "reads a file"),
            ("INCLUDE \"/etc/passwd\"", "reads a file"),
            ("tcp dport 80 drop include \"/etc/passwd\"", "reads a file"),
            ("jump { include \"/etc/passwd\" }", "reads a file"),
            ("tcp dport 80include \"/etc/passwd\"", "reads a file"),
            ("tcp dport 80-include \"/etc/passwd\"", "reads a file"),
            ("\u{e9}include \"/etc/passwd\"", "ASCII"),
            ("define x = 1", "names"),
            ("tcp dport $x drop", "`$`"),
            ("accept\ninclude \"/etc/passwd\"", "one line"),
            ("accept\r", "one line"),
            ("accept\0", "one line"),
            ("accept; drop", "`;`"),
            ("} table inet other {", "`}` closes"),
            ("jump { # }", "`#`"),
            ("accept } # {", "`}` closes"),
            ("tcp dport { 80", "`{` is left open"),
            ("log prefix \"x", "quote is left open"),
            ("accept \\", "joins lines"),
            ("log prefix \"x\\\"", "within quotes"),
            ("ip saddr @/etc/passwd drop", "`@` names a set"),
            ("ip saddr @blocked drop", "`@` names a set"),
            ("table inet other", "one table"),
            ("flush ruleset", "new and empty"),
            ("delete table inet wireproof", "begins no rule"),
            ("add rule inet wireproof rules drop", "begins no rule"),
            ("policy drop", "begins no rule"),
            ("type nat hook input priority 5", "begins no rule"),
            ("socket cgroupv2 level 1 \"../../../etc/passwd\" drop", "file of this machine"),
            ("", "no rule"),
            ("  ", "no rule"),
            (&"x".repeat(5000), "at most 4096"),
        ] {
            let error = check_rule(line).expect_err(line);
            assert!(error.contains(word), "{line}: {error}");
            assert!(!error.contains(char::is_control), "{error}");
        }
    }
}
