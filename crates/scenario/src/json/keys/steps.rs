//! The keys of each kind of step. Knows their shapes; reads nothing.

use super::table::Shape::{Bool, Def, Map, Text};
use super::table::{Key, NOTE, Table, may, must, step};

const AT: Key =
    may("at", Def("duration"), "Virtual time since the run began at which the step begins.");
const AFTER: Key =
    may("after", Def("duration"), "Time after the end of the step before; 0 where left out.");

const LATE: Key = may(
    "tolerance",
    Def("duration"),
    "By how much the real clock may be late when the step begins; not judged where left out.",
);

/// The step that sends.
static SEND: Table = step(
    "send",
    "send-step",
    "a `send` step",
    "A node sends a packet.",
    &[
        AT,
        AFTER,
        must("node", Def("port-ref"), "Who sends it: `node`, or `node:port`."),
        may("port", Text, "By which port, where the node has several."),
        LATE,
        must("send", Def("packet"), "The packet."),
        NOTE,
    ],
);
static DO: Table = step(
    "do",
    "do-step",
    "a `do` step",
    "A node is given a command.",
    &[
        AT,
        AFTER,
        must("node", Def("port-ref"), "Who is told."),
        LATE,
        must("do", Def("command"), "The verb, or an object {verb: {argument: value}}."),
        NOTE,
    ],
);
static EXPECT: Table = step(
    "expect",
    "expect-step",
    "an `expect` step",
    "A frame must be emitted.",
    &[
        may("within", Def("duration"), "How soon after the end of the step before."),
        may("after", Def("duration"), "Just so long after the end of the step before."),
        must("from", Def("port-ref"), "Who emits it: `node`, or `node:port`."),
        may(
            "tolerance",
            Def("tolerance"),
            "By how much it may be early or late, also by the real clock.",
        ),
        may("skip-others", Bool, "Frames that do not match may come before it."),
        must("expect", Def("pattern"), "What it must look like; fields left out are free."),
        may("bind", Map("field-path"), "Names for values of its fields: {\"isn\": \"tcp.seq\"}."),
        NOTE,
    ],
);
static EXPECT_NOTHING: Table = step(
    "expect-nothing",
    "expect-nothing-step",
    "an `expect-nothing` step",
    "No such frame may be emitted.",
    &[
        must("for", Def("duration"), "For how long."),
        may("from", Def("port-ref"), "Who stays silent; everybody otherwise."),
        must("expect-nothing", Def("pattern"), "What it would look like; {} is any frame."),
        NOTE,
    ],
);
static EXPECT_EVENT: Table = step(
    "expect-event",
    "expect-event-step",
    "an `expect-event` step",
    "A node's application must see something.",
    &[
        must("within", Def("duration"), "How soon."),
        must("from", Def("port-ref"), "Whose application."),
        must("expect-event", Def("event"), "The event's kind and fields."),
        NOTE,
    ],
);
static SET_LINK: Table = step(
    "link",
    "link-step",
    "a `link` step",
    "A link changes from then on.",
    &[
        AT,
        AFTER,
        must("link", Text, "The link's name, or its ends: `a-b`."),
        may("toward", Def("port-ref"), "Only frames that travel toward this end."),
        LATE,
        must("set", Def("link-settings"), "What changes."),
        NOTE,
    ],
);
static WAIT: Table = step(
    "wait",
    "wait-step",
    "a `wait` step",
    "Time passes.",
    &[must("wait", Def("duration"), "How long."), NOTE],
);

/// The kinds of step; the mark of each tells which it is.
pub(crate) static STEPS: [&Table; 7] =
    [&SEND, &DO, &EXPECT, &EXPECT_NOTHING, &EXPECT_EVENT, &SET_LINK, &WAIT];
