//! Values computed from bound names: `$isn + 1`, mod 2^width of the field they are for.
//!
//! Kept in postfix order, so that neither reading, nor computing, nor dropping recurses.

use std::collections::BTreeMap;
use std::fmt;

/// Values by name, without `$`.
pub type Bindings = BTreeMap<String, u64>;

/// Longer texts are refused: nobody wrote them by hand.
const MAX_BYTES: usize = 4096;

/// An expression over bound names with `+`, `-`, `*` and parentheses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expr {
    postfix: Vec<Item>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Item {
    Num(u64),
    Name(String),
    Op(char),
}

/// A name is not bound.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unbound name `${name}`; bound here are: {}", listed(.bound))]
pub struct ExprError {
    /// The name, without `$`.
    pub name: String,
    /// The names that are bound.
    pub bound: Vec<String>,
}

/// The text is no expression: a sentence in lower case that says what would be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ExprSyntax {
    /// What is wrong.
    pub message: String,
    /// Where, in bytes from the start of the text.
    pub at: usize,
}

fn listed(names: &[String]) -> String {
    if names.is_empty() {
        return "none".into();
    }
    names.iter().map(|name| format!("${name}")).collect::<Vec<_>>().join(", ")
}

/// Whether a text can be a bound name: a letter or `_`, then letters, digits or `_`.
#[must_use]
pub fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

impl Expr {
    /// A number.
    #[must_use]
    pub fn number(number: u64) -> Self {
        Self { postfix: vec![Item::Num(number)] }
    }

    /// Reads `$isn + 2 * (0x10 - $n)`.
    ///
    /// # Errors
    /// Names what is wrong and what may stand there.
    pub fn parse(text: &str) -> Result<Self, ExprSyntax> {
        if text.len() > MAX_BYTES {
            let message = format!("an expression has at most {MAX_BYTES} bytes");
            return Err(ExprSyntax { message, at: 0 });
        }
        let mut reader = Reader { text, postfix: Vec::new(), waiting: Vec::new(), operand: true };
        let mut at = 0;
        while let Some(c) = text[at..].chars().next() {
            at = if c.is_ascii_whitespace() { at + 1 } else { reader.token(at, c)? };
        }
        reader.finish()
    }

    /// The names it uses, without `$`.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.postfix.iter().filter_map(|item| match item {
            Item::Name(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Its value, mod 2^`width`.
    ///
    /// # Errors
    /// When a name is not bound.
    pub fn eval(&self, bindings: &Bindings, width: u16) -> Result<u64, ExprError> {
        let mut stack: Vec<u64> = Vec::new();
        for item in &self.postfix {
            let value = match item {
                Item::Num(number) => *number,
                Item::Name(name) => *bindings.get(name).ok_or_else(|| ExprError {
                    name: name.clone(),
                    bound: bindings.keys().cloned().collect(),
                })?,
                Item::Op(op) => {
                    // Postfix items are only made by `Reader`, which has an operand for each side.
                    let (right, left) = (stack.pop().unwrap_or(0), stack.pop().unwrap_or(0));
                    match op {
                        '+' => left.wrapping_add(right),
                        '-' => left.wrapping_sub(right),
                        _ => left.wrapping_mul(right),
                    }
                }
            };
            stack.push(value);
        }
        let value = stack.pop().unwrap_or(0);
        Ok(if width >= 64 { value } else { value & ((1 << width) - 1) })
    }
}

/// Reads infix to postfix with two stacks.
struct Reader<'a> {
    text: &'a str,
    postfix: Vec<Item>,
    /// Operators and open parentheses, with their places.
    waiting: Vec<(char, usize)>,
    /// An operand comes next, not an operator.
    operand: bool,
}

const fn precedence(op: char) -> u8 {
    match op {
        '+' | '-' => 1,
        '*' => 2,
        _ => 0,
    }
}

impl Reader<'_> {
    /// Takes the token that starts with `c` and gives the place after it.
    fn token(&mut self, at: usize, c: char) -> Result<usize, ExprSyntax> {
        match (self.operand, c) {
            (true, '(') => self.waiting.push((c, at)),
            (true, '$') => return self.name(at),
            (true, '0'..='9') => return self.number(at),
            (false, '+' | '-' | '*') => {
                self.unstack(precedence(c));
                self.waiting.push((c, at));
                self.operand = true;
            }
            (false, ')') => {
                self.unstack(1);
                if self.waiting.pop().is_none() {
                    return Err(ExprSyntax { message: "`)` closes nothing".into(), at });
                }
            }
            (true, _) => {
                let message = format!("`{c}`: a `$name`, a number or `(` is wanted here");
                return Err(ExprSyntax { message, at });
            }
            (false, _) => {
                let message = format!("`{c}`: `+`, `-`, `*` or `)` is wanted here");
                return Err(ExprSyntax { message, at });
            }
        }
        Ok(at + 1)
    }

    fn word(&self, at: usize) -> &str {
        let rest = &self.text[at..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        &rest[..end.unwrap_or(rest.len())]
    }

    fn name(&mut self, at: usize) -> Result<usize, ExprSyntax> {
        let name = self.word(at + 1).to_owned();
        if !is_name(&name) {
            let message = "`$` is followed by a name: a letter, then letters, digits or `_`".into();
            return Err(ExprSyntax { message, at });
        }
        let end = at + 1 + name.len();
        self.postfix.push(Item::Name(name));
        self.operand = false;
        Ok(end)
    }

    fn number(&mut self, at: usize) -> Result<usize, ExprSyntax> {
        let word = self.word(at);
        let end = at + word.len();
        let number = match word.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16),
            None => word.parse(),
        };
        let number = number.map_err(|_| ExprSyntax {
            message: format!("`{word}` is no number below 2^64, in decimal or 0x…"),
            at,
        })?;
        self.postfix.push(Item::Num(number));
        self.operand = false;
        Ok(end)
    }

    /// Moves the operators that bind at least as tightly to the output.
    fn unstack(&mut self, least: u8) {
        while let Some((op, _)) = self.waiting.last().copied()
            && precedence(op) >= least
        {
            self.waiting.pop();
            self.postfix.push(Item::Op(op));
        }
    }

    fn finish(mut self) -> Result<Expr, ExprSyntax> {
        if self.operand {
            let message = "the expression ends where a `$name`, a number or `(` is wanted".into();
            return Err(ExprSyntax { message, at: self.text.len() });
        }
        self.unstack(1);
        match self.waiting.pop() {
            Some((_, at)) => Err(ExprSyntax { message: "`(` is never closed".into(), at }),
            None => Ok(Expr { postfix: self.postfix }),
        }
    }
}

/// Infix, with the parentheses that it needs; [`Expr::parse`] reads it back as the same.
impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut stack: Vec<(String, u8)> = Vec::new();
        for item in &self.postfix {
            let next = match item {
                Item::Num(number) => (number.to_string(), 3),
                Item::Name(name) => (format!("${name}"), 3),
                Item::Op(op) => {
                    let (right, left) = (stack.pop(), stack.pop());
                    let own = precedence(*op);
                    // An operator on the right of its equal was in parentheses.
                    let side = |side: Option<(String, u8)>, least: u8| match side {
                        Some((text, binds)) if binds < least => format!("({text})"),
                        Some((text, _)) => text,
                        None => String::new(),
                    };
                    (format!("{} {op} {}", side(left, own), side(right, own + 1)), own)
                }
            };
            stack.push(next);
        }
        f.write_str(stack.pop().map_or_else(String::new, |(text, _)| text).as_str())
    }
}

#[cfg(test)]
mod tests;
