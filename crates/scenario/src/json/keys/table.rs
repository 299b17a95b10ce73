//! What a table of keys is: names, what stands at each, and the order in which they are written.
//! Knows no table.

use wire::Proto;

/// What stands at a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A text.
    Text,
    /// True or false.
    Bool,
    /// A whole number from the first to the second.
    Whole(u64, u64),
    /// The same, or `"unlimited"`.
    Unlimited(u64, u64),
    /// What the schema's definition of that name says.
    Def(&'static str),
    /// A list of such.
    List(&'static str),
    /// An object with any keys and such values.
    Map(&'static str),
    /// The same; a scalar at this key is something else, and no key of the table.
    MapOrScalar(&'static str),
}

/// One key of an object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) required: bool,
    pub(crate) about: &'static str,
}

/// The keys of one kind of object.
#[derive(Debug)]
pub(crate) struct Table {
    /// Its definition's name in the schema.
    pub(crate) def: &'static str,
    /// How an error names it: `a node`.
    pub(crate) title: &'static str,
    pub(crate) about: &'static str,
    /// In the order in which they are written.
    pub(crate) keys: &'static [Key],
    pub(crate) others: Others,
    /// The key that tells a kind of step from the others; empty where the object is no step.
    pub(crate) mark: &'static str,
}

/// Which keys are allowed beside those of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Others {
    /// None.
    No,
    /// Any, with a scalar value.
    Scalars,
    /// Every layer's name.
    Layers,
}

impl Table {
    pub(crate) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// Every key that can be named.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        let layers = if self.others == Others::Layers { &Proto::SENDABLE[..] } else { &[] };
        let keys = self.keys.iter().map(|key| key.name);
        layers.iter().map(|proto| proto.key()).chain(keys).collect()
    }

    /// Where a key is written: layers before all others, and options of a node before its ports.
    pub(crate) fn rank(&self, name: &str) -> (usize, usize) {
        let at = |is: &dyn Fn(&Key) -> bool| self.keys.iter().position(is);
        let layer = |proto: &Proto| proto.key() == name;
        match at(&|key| key.name == name) {
            Some(place) => (place + 1, 1),
            None if self.others == Others::Scalars => {
                let ports = at(&|key| matches!(key.shape, Shape::MapOrScalar(_)));
                (ports.map_or(self.keys.len(), |place| place + 1), 0)
            }
            None => (0, Proto::SENDABLE.iter().position(layer).unwrap_or(usize::MAX)),
        }
    }

    pub(crate) fn allows(&self, name: &str) -> bool {
        self.others == Others::Scalars || self.names().contains(&name)
    }
}

pub(crate) const fn must(name: &'static str, shape: Shape, about: &'static str) -> Key {
    Key { name, shape, required: true, about }
}
pub(crate) const fn may(name: &'static str, shape: Shape, about: &'static str) -> Key {
    Key { name, shape, required: false, about }
}

pub(crate) const fn table(
    def: &'static str,
    title: &'static str,
    about: &'static str,
    keys: &'static [Key],
) -> Table {
    Table { def, title, about, keys, others: Others::No, mark: "" }
}

/// A kind of step, which that key tells from the others.
pub(crate) const fn step(
    mark: &'static str,
    def: &'static str,
    title: &'static str,
    about: &'static str,
    keys: &'static [Key],
) -> Table {
    Table { mark, ..table(def, title, about, keys) }
}

pub(crate) const NOTE: Key =
    may("note", Shape::Text, "A comment; it travels to the report and the capture.");
