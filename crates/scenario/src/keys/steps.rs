//! The keys of each kind of step. Knows their shapes; reads nothing.

use super::*;

/// The step that sends.
static SEND: Table = table(
    "send-step",
    "a `send` step",
    "A node sends a packet.",
    &[
        must("send", Def("packet"), "The packet."),
        must("node", Def("port-ref"), "Who sends it: `node`, or `node:port`."),
        may("port", Text, "By which port, where the node has several."),
        AT,
        AFTER,
        LATE,
        NOTE,
    ],
);
static DO: Table = table(
    "do-step",
    "a `do` step",
    "A node is given a command.",
    &[
        must("do", Def("command"), "The verb, or an object {verb: {argument: value}}."),
        must("node", Def("port-ref"), "Who is told."),
        AT,
        AFTER,
        LATE,
        NOTE,
    ],
);
static EXPECT: Table = table(
    "expect-step",
    "an `expect` step",
    "A frame must be emitted.",
    &[
        must("expect", Def("pattern"), "What it must look like; fields left out are free."),
        must("from", Def("port-ref"), "Who emits it: `node`, or `node:port`."),
        may("within", Def("duration"), "How soon after the end of the step before."),
        may("after", Def("duration"), "Just so long after the end of the step before."),
        may(
            "tolerance",
            Def("tolerance"),
            "By how much it may be early or late, also by the real clock.",
        ),
        may("bind", Map("field-path"), "Names for values of its fields: {\"isn\": \"tcp.seq\"}."),
        may("skip-others", Bool, "Frames that do not match may come before it."),
        NOTE,
    ],
);
static EXPECT_NOTHING: Table = table(
    "expect-nothing-step",
    "an `expect-nothing` step",
    "No such frame may be emitted.",
    &[
        must("expect-nothing", Def("pattern"), "What it would look like; {} is any frame."),
        may("from", Def("port-ref"), "Who stays silent; everybody otherwise."),
        must("for", Def("duration"), "For how long."),
        NOTE,
    ],
);
static EXPECT_EVENT: Table = table(
    "expect-event-step",
    "an `expect-event` step",
    "A node's application must see something.",
    &[
        must("expect-event", Def("event"), "The event's kind and fields."),
        must("from", Def("port-ref"), "Whose application."),
        must("within", Def("duration"), "How soon."),
        NOTE,
    ],
);
static SET_LINK: Table = table(
    "link-step",
    "a `link` step",
    "A link changes from then on.",
    &[
        must("link", Text, "The link's name, or its ends: `a-b`."),
        may("toward", Def("port-ref"), "Only frames that travel toward this end."),
        must("set", Def("link-settings"), "What changes."),
        AT,
        AFTER,
        LATE,
        NOTE,
    ],
);
static WAIT: Table = table(
    "wait-step",
    "a `wait` step",
    "Time passes.",
    &[must("wait", Def("duration"), "How long."), NOTE],
);

/// The kinds of step; the first key of each tells which it is.
pub(crate) static STEPS: [&Table; 7] =
    [&SEND, &DO, &EXPECT, &EXPECT_NOTHING, &EXPECT_EVENT, &SET_LINK, &WAIT];
