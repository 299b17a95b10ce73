//! The commands that a node takes and the events that its application reports, by its kind and by
//! the kinds inside it. Knows names and arguments; gives no command.

use crate::config::{NodeConfig, VerbSpec};
use crate::registry::Registry;

/// Kinds inside each other. Each takes an option of the file, so that no file comes near.
const MOST_INSIDE: usize = 256;

impl Registry {
    /// The commands that a node so configured takes beside `send`, its own before those of the
    /// node inside it; `None` where a kind is not there.
    #[must_use]
    pub fn commands(&self, kind: &str, config: &NodeConfig) -> Option<Vec<VerbSpec>> {
        self.verbs(kind, config, |kind| kind.commands)
    }

    /// The events that its application reports, in the same order.
    #[must_use]
    pub fn events(&self, kind: &str, config: &NodeConfig) -> Option<Vec<VerbSpec>> {
        self.verbs(kind, config, |kind| kind.events)
    }

    fn verbs(
        &self,
        kind: &str,
        config: &NodeConfig,
        of: fn(&crate::Kind) -> &'static [VerbSpec],
    ) -> Option<Vec<VerbSpec>> {
        let mut kind = self.get(kind)?;
        let mut all = of(kind).to_vec();
        let mut inside = kind.wraps.as_ref().and_then(|wraps| wraps(config));
        for _ in 0..MOST_INSIDE {
            let Some((name, config)) = inside else { return Some(all) };
            kind = self.get(&name)?;
            all.extend_from_slice(of(kind));
            inside = kind.wraps.as_ref().and_then(|wraps| wraps(&config));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use link::Datum;

    use super::*;

    fn names(kind: &str, options: &[(&str, &str)]) -> Option<[Vec<&'static str>; 2]> {
        let text = |(name, value): &(&str, &str)| ((*name).into(), Datum::Text((*value).into()));
        let options: BTreeMap<String, Datum> = options.iter().map(text).collect();
        let config = NodeConfig { options, ..NodeConfig::default() };
        let all = Registry::standard();
        let of = |verbs: Vec<VerbSpec>| verbs.iter().map(|verb| verb.name).collect();
        Some([of(all.commands(kind, &config)?), of(all.events(kind, &config)?)])
    }

    #[test]
    fn a_node_has_the_verbs_of_the_node_inside_it() {
        assert_eq!(names("reject", &[]), Some([vec![], vec![]]));
        let receiver = vec!["payload", "drop"];
        assert_eq!(names("md5-receiver", &[]), Some([vec![], receiver.clone()]));
        let behind = names("md5-receiver", &[("behind", "skb-sender")]);
        assert_eq!(behind, Some([vec!["fail"], vec!["payload", "drop", "failed"]]));
        let inner = [("of", "md5-receiver"), ("behind", "faulty"), ("behind.of", "skb-sender")];
        assert_eq!(names("faulty", &inner), behind);
        assert_eq!(names("faulty", &[]), Some([vec![], vec![]]));
    }

    #[test]
    fn a_kind_that_is_not_there_has_none_that_are_known() {
        assert_eq!(names("nothing", &[]), None);
        assert_eq!(names("faulty", &[("of", "nothing")]), None);
    }

    #[test]
    fn a_kind_that_holds_itself_for_ever_ends() {
        let mut all = Registry::standard();
        let endless = crate::Kind::new("endless", "", |config, all| all.read("sink", config));
        all.register(endless.wraps(|config| Some(("endless".into(), config.clone()))));
        assert_eq!(all.commands("endless", &NodeConfig::default()), None);
    }
}
