//! When a step begins, when a frame is due, and by how much either may be missed.

use wire::Duration;

use super::decoder::{Decoder, Object};
use crate::diagnostic::nearest;
use crate::json::keys::TOLERANCE;
use crate::json::tree::{Json, Kind};
use crate::model::{Due, Tolerance, When};
use crate::span::{Span, Spanned};

impl Decoder<'_, '_> {
    pub(super) fn when(&mut self, step: &Object<'_>) -> When {
        let (at, after) = (self.duration(step, "at"), self.duration(step, "after"));
        match (at, after) {
            (Some(_), Some(after)) => {
                self.fault(after.span, "`at` and `after` in one step", "give one of both");
                When::Now
            }
            (Some(at), None) => When::At(at),
            (None, Some(after)) => When::After(after),
            (None, None) => When::Now,
        }
    }

    /// When an expected frame is due.
    pub(super) fn due(&mut self, step: &Object<'_>) -> Option<Due> {
        let (within, after) = (self.duration(step, "within"), self.duration(step, "after"));
        if let (Some(_), Some(after)) = (step.get("within"), step.get("after")) {
            let help = "`within` says how soon, `after` with a `tolerance` when exactly";
            self.fault(after.span, "`within` and `after` in one `expect`", help);
            return None;
        }
        if let (Some(after), None) = (step.get("after"), step.get("tolerance")) {
            let help = "by how much the frame may be early or late: \"10ms\"";
            self.fault(after.span, "`after` in an `expect` needs a `tolerance`", help);
        }
        if step.get("within").is_none() && step.get("after").is_none() {
            self.no_time(step);
        }
        within
            .map(|within| Due::Within(within.value))
            .or(after.map(|after| Due::After(after.value)))
    }

    /// Notes that an `expect` has no time, unless an unknown key was probably meant to give it.
    fn no_time(&mut self, step: &Object<'_>) {
        let unknown = step.members.iter().map(|member| member.key.as_str());
        let unknown: Vec<&str> = unknown.filter(|key| step.table.key(key).is_none()).collect();
        if ["within", "after"].iter().all(|key| nearest(key, unknown.iter().copied()).is_none()) {
            let open = Span::new(step.span.start, step.span.start + 1);
            let help = "how soon; or `after` with a `tolerance`, when exactly";
            self.fault(open, "an `expect` step needs the key `within`", help);
        }
    }

    /// `tolerance`: to both sides, or each by itself where a frame is expected.
    pub(super) fn tolerance(&mut self, step: &Object<'_>) -> Option<Tolerance> {
        step.table.key("tolerance")?;
        match step.get("tolerance")? {
            json @ Json { kind: Kind::Object(_), .. } if step.table.mark == "expect" => {
                let both = self.object(json, &TOLERANCE)?;
                let (early, late) = (self.duration(&both, "early"), self.duration(&both, "late"));
                let given = |side: Option<Spanned<Duration>>| side.map(|side| side.value);
                Some(Tolerance {
                    early: given(early).unwrap_or_default(),
                    late: given(late).unwrap_or_default(),
                })
            }
            _ => {
                let time = self.duration(step, "tolerance")?.value;
                Some(Tolerance { early: time, late: time })
            }
        }
    }
}
