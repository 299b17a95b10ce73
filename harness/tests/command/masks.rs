//! Masks: what they let pass, for whom, and what they do not.

use crate::support::{Place, page};

const GOLDEN: &str =
    "\"masks\": [{ \"field\": [\"ip4.id\", \"ip4.checksum\"], \"kind\": \"faulty\",
    \"reason\": \"a planted id\" }],\n  \"links\"";

fn swapped(place: &Place, fault: &str, code: i32) -> String {
    let swap = format!("receiver=faulty,of=reject,fault={fault},ip=10.0.0.2,mac=02:00:00:00:00:02");
    place.plain(&place.run(&["run", "--swap", &swap]).ends_with(code))
}

#[test]
fn a_mask_for_a_kind_holds_where_that_kind_stands_and_hides_nothing_else() {
    let place = Place::changed("\"links\"", GOLDEN);
    let mut said = String::new();
    for (fault, code) in [("ip-id", 0), ("ttl", 1), ("ip-checksum", 1)] {
        said += &format!("# {fault}\n{}\n", swapped(&place, fault, code));
    }
    // The scenario's own node is of another kind, and so must be the golden's to the last bit.
    let plain = place.plain(&place.run(&["run"]).ends_with(0));
    assert!(plain.contains("identical"), "{plain}");
    let other = Place::changed("\"links\"", &GOLDEN.replace("faulty", "sink"));
    said += &format!("# another kind\n{}\n", swapped(&other, "ip-id", 1));
    page("masks of a kind", &said);
}
