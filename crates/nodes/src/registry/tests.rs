use link::PortConfig;

use super::*;
use crate::recipe::in_process;
use crate::sink::Sink;

fn config(ports: usize, options: &[(&str, Datum)]) -> NodeConfig {
    NodeConfig {
        name: "it".into(),
        ports: vec![PortConfig::default(); ports],
        options: options.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
    }
}

fn quiet(name: &'static str) -> Kind {
    Kind::new(name, "emits nothing", |_, _| {
        Ok(in_process(Role::Silent, |_| Box::new(Sink::default())))
    })
}

#[test]
fn kinds_keep_the_order_of_registration() {
    let mut registry = Registry::new();
    registry.register(quiet("b"));
    registry.register(quiet("a"));
    registry.register(quiet("b").ports(PortRule::AtLeast(2)));
    let names: Vec<_> = registry.kinds().map(|kind| kind.name).collect();
    assert_eq!(names, ["b", "a"]);
    assert_eq!(registry.get("b").unwrap().ports, PortRule::AtLeast(2), "replaced in its place");
}

#[test]
fn an_unknown_kind_lists_those_there_are() {
    let mut registry = Registry::new();
    registry.register(quiet("quiet"));
    registry.register(quiet("other"));
    let error = registry.build("quite", &config(1, &[])).err().unwrap();
    assert_eq!(
        error.message,
        "unknown kind of node `quite`: allowed are quiet, other; did you mean `quiet`?"
    );
}

#[test]
fn ports_are_counted() {
    let mut registry = Registry::new();
    registry.register(quiet("one"));
    registry.register(quiet("two").ports(PortRule::AtLeast(2)));
    assert!(registry.build("one", &config(1, &[])).is_ok());
    let error = registry.build("one", &config(2, &[])).err().unwrap();
    assert_eq!(error.message, "ports: the kind one has exactly 1, 2 given");
    assert!(registry.build("two", &config(3, &[])).is_ok());
    let error = registry.build("two", &config(1, &[])).err().unwrap();
    assert_eq!(error.message, "ports: the kind two has at least 2, 1 given");
}

#[test]
fn an_unknown_option_is_named_with_those_allowed() {
    static OPTIONS: &[OptionSpec] =
        &[OptionSpec { name: "port", takes: "a port", default: "80", about: "where" }];
    let kind = quiet("quiet").options(OPTIONS);
    assert_eq!(kind.check(&config(1, &[("port", Datum::Num(1))])), Ok(()));
    let error = kind.check(&config(1, &[("prot", Datum::Num(1))])).unwrap_err();
    assert_eq!(error.option.as_deref(), Some("prot"));
    assert_eq!(
        error.message,
        "unknown option of quiet `prot`: allowed are port; did you mean `port`?"
    );
    let prefixed = kind.clone().inner(Inner::Prefixed("behind."));
    assert_eq!(prefixed.check(&config(1, &[("behind.x", Datum::Num(1))])), Ok(()));
    assert!(prefixed.check(&config(1, &[("x", Datum::Num(1))])).is_err());
    assert_eq!(kind.inner(Inner::Any).check(&config(1, &[("x", Datum::Num(1))])), Ok(()));
}

#[test]
fn a_closure_may_capture_what_it_needs() {
    let about = String::from("captured");
    let mut registry = Registry::new();
    registry.register(Kind::new("mine", "a user's", move |config, _| {
        Err(ConfigError::new(format!("{about} {}", config.name)))
    }));
    let shared: &(dyn Send + Sync) = &registry;
    let _ = shared;
    assert_eq!(registry.build("mine", &config(1, &[])).err().unwrap().message, "captured it");
    assert_eq!(registry.role("mine", &config(1, &[])), Role::Other);
}

#[test]
fn every_standard_kind_describes_itself() {
    let registry = Registry::standard();
    for kind in registry.kinds() {
        assert!(!kind.about.is_empty() && !kind.about.ends_with('.'), "{}", kind.name);
        for option in kind.options {
            let texts = [option.takes, option.default, option.about];
            assert!(texts.iter().all(|text| !text.is_empty()), "{} {}", kind.name, option.name);
        }
    }
}

#[test]
fn no_option_has_the_name_of_a_key_that_every_node_has() {
    // A scenario writes a node's options beside these keys, and could not give such an option.
    const KEYS: [&str; 5] = ["kind", "mac", "ip", "ports", "note"];
    for kind in Registry::standard().kinds() {
        for option in kind.options {
            assert!(!KEYS.contains(&option.name), "{}: {}", kind.name, option.name);
        }
    }
}

#[test]
fn an_option_that_imitates_an_implementation_is_named_at_any_depth() {
    let registry = Registry::standard();
    let text = |text: &str| Datum::Text(text.into());
    let of = |kind: &str, options: &[(&str, Datum)]| {
        registry.imitation(kind, &config(1, options).options)
    };
    assert_eq!(of("reject", &[]), None);
    // What is the default anyway says nothing, and a rule is set up on any device.
    let plain = [("profile", text("linux")), ("ttl", Datum::Num(64)), ("reject", Datum::Num(22))];
    assert_eq!(of("reject", &plain), None);
    let old = [("profile", text("linux-2.6"))];
    assert_eq!(of("reject", &old).as_deref(), Some("profile=linux-2.6"));
    assert_eq!(of("reject", &[("ttl", Datum::Num(128))]).as_deref(), Some("ttl=128"));
    assert_eq!(of("reject", &[("mtu", Datum::Num(40))]).as_deref(), Some("mtu=40"));
    assert_eq!(of("firewall", &old).as_deref(), Some("profile=linux-2.6"));
    let behind = [("behind", text("reject")), ("behind.profile", text("linux-2.6"))];
    assert_eq!(of("md5-receiver", &behind).as_deref(), Some("behind.profile=linux-2.6"));
    assert_eq!(of("md5-receiver", &behind[..1]), None);
    assert_eq!(of("nobody", &old), None);
}

#[test]
fn a_kind_is_held_to_its_golden_unless_it_says_otherwise() {
    assert_eq!(quiet("a").measure, Measure::Golden);
    assert_eq!(quiet("a").measure(Measure::Rules).measure, Measure::Rules);
    assert!(Registry::standard().kinds().all(|kind| kind.measure == Measure::Golden));
}
