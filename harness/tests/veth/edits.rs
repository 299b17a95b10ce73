//! The running kernel as a router that edits what it passes on: it clamps the MSS, translates
//! destinations and sources, and breaks no rule of a host's in doing so.

use crate::kernels::{router, runs};
use libtest_mimic::Trial;
use testing::Stop;

use crate::{Place, has, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial(
            "a_router_that_clamps_the_mss_is_conformant",
            a_router_that_clamps_the_mss_is_conformant,
        ),
        trial(
            "a_router_that_translates_destinations_is_conformant",
            a_router_that_translates_destinations_is_conformant,
        ),
        trial(
            "a_router_that_translates_sources_is_conformant",
            a_router_that_translates_sources_is_conformant,
        ),
    ]
}

fn a_router_that_clamps_the_mss_is_conformant(place: &Place) -> Result<(), Stop> {
    has("nft")?;
    let options = r#""reject": "none", "rules": "tcp flags syn tcp option maxseg size set 1200""#;
    let steps = r#"
      { "node": "client", "send": { "tcp": { "flags": "S", "seq": 1,
        "options": [{ "mss": 1460 }, "nop", { "window-scale": 7 }] } } },
      { "from": "router:right", "within": "50ms", "expect": { "ip4": { "src": "10.0.1.1" },
        "tcp": { "flags": "S", "options": [{ "mss": 1200 }, "nop", { "window-scale": 7 }] } } },
      { "node": "client", "send": { "tcp": { "flags": "PA", "seq": 2, "ack": 9 },
        "payload": "01020304" } },
      { "from": "router:right", "within": "50ms", "expect": { "tcp": { "flags": "PA" } } }"#;
    let (code, told) = runs(place, &router(options, "server", "client", steps));
    assert!(code == Some(0) && told.contains("conformant"), "{told}");
    Ok(())
}

fn a_router_that_translates_destinations_is_conformant(place: &Place) -> Result<(), Stop> {
    has("nft")?;
    let options = r#""reject": "none", "dnat": "tcp dport 80 dnat ip to 10.0.2.1:8080""#;
    let steps = r#"
      { "node": "client", "send": { "tcp": { "src": 4000, "dst": 80, "flags": "S", "seq": 1 } } },
      { "from": "router:right", "within": "50ms", "expect": { "tcp": { "dst": 8080, "flags": "S" },
        "ip4": { "src": "10.0.1.1", "dst": "10.0.2.1", "ttl": 63 } } },
      { "node": "server", "send": { "tcp": { "src": 8080, "dst": 4000, "flags": "SA", "seq": 7,
        "ack": 2 } } },
      { "from": "router:left", "within": "50ms", "expect": { "tcp": { "src": 80, "flags": "SA" },
        "ip4": { "src": "10.0.1.254", "dst": "10.0.1.1", "ttl": 63 } } }"#;
    let (code, told) = runs(place, &router(options, "10.0.1.254", "client", steps));
    assert!(code == Some(0) && told.contains("conformant"), "{told}");
    Ok(())
}

fn a_router_that_translates_sources_is_conformant(place: &Place) -> Result<(), Stop> {
    has("nft")?;
    for rule in ["masquerade", "snat ip to 10.0.2.254"] {
        let options = format!(r#""reject": "none", "snat": "oifname \"right\" {rule}""#);
        let steps = r#"
      { "node": "client", "send": { "tcp": { "src": 4000, "dst": 80, "flags": "S", "seq": 1 } } },
      { "from": "router:right", "within": "50ms", "expect": { "tcp": { "src": 4000, "flags": "S" },
        "ip4": { "src": "10.0.2.254", "dst": "10.0.2.1", "ttl": 63 } } },
      { "node": "server", "send": { "tcp": { "src": 80, "dst": 4000, "flags": "SA", "seq": 7,
        "ack": 2 } } },
      { "from": "router:left", "within": "50ms", "expect": { "tcp": { "src": 80, "flags": "SA" },
        "ip4": { "src": "10.0.2.1", "dst": "10.0.1.1", "ttl": 63 } } }"#;
        let (code, told) = runs(place, &router(&options, "server", "10.0.2.254", steps));
        assert!(code == Some(0) && told.contains("conformant"), "{rule}: {told}");
    }
    Ok(())
}
