use proptest::prelude::*;

use super::*;

fn eval(text: &str, width: u16) -> u64 {
    let bindings = Bindings::from([("isn".into(), 0xffff_ffff), ("n".into(), 7)]);
    Expr::parse(text).unwrap().eval(&bindings, width).unwrap()
}

#[test]
fn arithmetic_wraps_at_the_field() {
    assert_eq!(eval("$isn + 1", 32), 0);
    assert_eq!(eval("$isn + 1", 64), 0x1_0000_0000);
    assert_eq!(eval("0 - $n", 16), 0xfff9);
    assert_eq!(eval("1 + 2 * $n", 32), 15);
    assert_eq!(eval("(1 + 2) * $n", 32), 21);
    assert_eq!(eval("20 - 5 - 0x3", 32), 12);
    assert_eq!(eval("20-(5-$n)", 32), 22);
}

#[test]
fn an_unbound_name_is_named_with_those_that_are() {
    let bindings = Bindings::from([("isn".into(), 1)]);
    let error = Expr::parse("$irs").unwrap().eval(&bindings, 32).unwrap_err();
    assert_eq!(error.to_string(), "unbound name `$irs`; bound here are: $isn");
}

#[test]
fn every_syntax_error_has_a_place() {
    let at = |text: &str| Expr::parse(text).unwrap_err().at;
    assert_eq!(at(""), 0);
    assert_eq!(at("$isn +"), 6);
    assert_eq!(at("$isn 1"), 5);
    assert_eq!(at("($isn"), 0);
    assert_eq!(at("$isn)"), 4);
    assert_eq!(at("$"), 0);
    assert_eq!(at("1 + 0xg"), 4);
    assert_eq!(at("99999999999999999999"), 0);
    assert_eq!(at(&"(".repeat(5000)), 0);
}

fn any_expr() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![any::<u64>().prop_map(|n| n.to_string()), "\\$[a-z_][a-z0-9_]{0,3}"];
    leaf.prop_recursive(4, 32, 2, |inner| {
        (inner.clone(), prop_oneof![Just('+'), Just('-'), Just('*')], inner)
            .prop_map(|(left, op, right)| format!("({left}){op}({right})"))
    })
}

proptest! {
    #[test]
    fn display_reads_back(text in any_expr()) {
        let expr = Expr::parse(&text).unwrap();
        prop_assert_eq!(&Expr::parse(&expr.to_string()).unwrap(), &expr);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[$a-z0-9x+*() -]{0,40}|.{0,40}") {
        let _ = Expr::parse(&text);
    }
}
