//! The file's outermost object, its limits, masks and reasons.

use super::decoder::{Decoder, Object};
use crate::json::keys::{Key, LIMITS, MASK, SCENARIO, Shape};
use crate::json::tree::{Json, Kind};
use crate::model::{FieldPath, Limits, Mask, Noted, Reason, Scenario};
use crate::resolve::fields::field_path;
use crate::span::Spanned;

/// Bytes of a reason, which stands in a report.
const MAX_REASON: usize = 4096;
/// Fields that the masks of a file may name in all.
const MAX_MASKED_FIELDS: usize = 1000;
/// Frames that they may name, each counted for each field of its mask.
const MAX_MASKED_FRAMES: usize = 1_000_000;

impl Decoder<'_, '_> {
    pub(super) fn scenario(mut self, json: &Json) -> Option<Scenario> {
        let file = self.object(json, &SCENARIO)?;
        let schema = self.text(&file, "$schema").map(|schema| schema.value);
        let title = self.title(&file);
        let cites = self.texts(&file, "cites");
        let any_host = file.get("any-host").and_then(|reason| self.reason(reason));
        let limits = self.limits(&file);
        let seed = self.whole(&file, "seed");
        let end = self.duration(&file, "end");
        self.read_nodes(&file);
        self.read_links(&file);
        let masks = self.list(&file, "masks").iter().flat_map(|mask| self.mask(mask)).collect();
        let note = self.note(&file);
        let steps = self.steps(&file);
        let finds = self.texts(&file, "finds");
        let not_on = self.not_on(&file);
        let (nodes, links) = self.names.into_parts();
        Some(Scenario {
            schema,
            title: title.unwrap_or_default(),
            note,
            cites,
            any_host,
            seed,
            limits,
            end,
            nodes,
            links,
            steps,
            masks,
            finds,
            not_on,
        })
    }

    fn title(&mut self, file: &Object<'_>) -> Option<Spanned<String>> {
        let title = self.text(file, "title")?;
        if title.trim().is_empty() {
            self.fault(title.span, "`title` is empty", "it says what happens, in one line");
        }
        Some(title)
    }

    /// A list of texts that are not empty.
    fn texts(&mut self, object: &Object<'_>, name: &str) -> Vec<Spanned<String>> {
        let mut texts = Vec::new();
        for item in self.list(object, name) {
            let Some(text) = self.plain_text(item, &format!("each of `{name}`")) else { continue };
            if text.trim().is_empty() {
                self.fault(text.span, format!("an empty text in `{name}`"), "");
            }
            texts.push(text);
        }
        texts
    }

    fn limits(&mut self, file: &Object<'_>) -> Noted<Limits> {
        let object = file.get("limits").and_then(|json| self.object(json, &LIMITS));
        let Some(object) = object else { return Noted::default() };
        let note = self.note(&object);
        let value = Limits {
            frames: self.whole(&object, "frames"),
            bytes: self.whole(&object, "bytes"),
            steps: self.whole(&object, "steps"),
            queue: self.whole(&object, "queue"),
            duration: self.duration(&object, "duration"),
        };
        Noted { value, note }
    }

    /// A mask for each of its fields.
    fn mask(&mut self, json: &Json) -> Vec<Mask> {
        let Some(object) = self.object(json, &MASK) else { return Vec::new() };
        let note = self.note(&object);
        let reason = object.get("reason").and_then(|reason| self.reason(reason));
        let fields = self.masked_fields(&object);
        let kind = self.text(&object, "kind").filter(|kind| {
            let right = kind.len() <= MAX_REASON;
            if !right {
                self.fault(kind.span, "no kind has so long a name", "");
            }
            right
        });
        let from = object.get("from").and_then(|from| self.port_ref(from, "`from`"));
        let frames = object.get("frames").is_some().then(|| {
            let items = self.list(&object, "frames");
            let read = items.iter().filter_map(|item| self.frame_number(item));
            read.collect::<Vec<_>>()
        });
        let named = frames.as_ref().map_or(0, Vec::len).saturating_mul(fields.len());
        let (fields_before, frames_before) = self.masked;
        self.masked = (fields_before + fields.len(), frames_before.saturating_add(named));
        // Each frame of a run is held against each mask, and each field has its own list.
        if self.masked.0 > MAX_MASKED_FIELDS || self.masked.1 > MAX_MASKED_FRAMES {
            let help = format!(
                "at most {MAX_MASKED_FIELDS} fields in all, and {MAX_MASKED_FRAMES} frames with \
                 one for each field"
            );
            self.fault(object.span, "too many masks", help);
            return Vec::new();
        }
        let Some(reason) = reason else { return Vec::new() };
        let mask = |field| {
            let (frames, from) = (frames.clone(), from.clone());
            let (reason, note) = (reason.clone(), note.clone());
            Mask { field, frames, from, kind: kind.clone(), reason, note }
        };
        fields.into_iter().map(mask).collect()
    }

    /// A field, or a list of fields with something in it.
    fn masked_fields(&mut self, mask: &Object<'_>) -> Vec<Spanned<FieldPath>> {
        let items = match mask.get("field") {
            Some(Json { kind: Kind::List(items), span }) if items.is_empty() => {
                self.fault(*span, "a mask of no field", "such as [\"ip4.id\", \"ip4.checksum\"]");
                return Vec::new();
            }
            Some(Json { kind: Kind::List(items), .. }) => items.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        let mut fields = Vec::new();
        for item in items {
            let path = self.plain_text(item, "`field`");
            fields.extend(path.and_then(|path| field_path(self.faults, &path)));
        }
        fields
    }

    fn frame_number(&mut self, json: &Json) -> Option<Spanned<u32>> {
        let number = self.ranged(json, "a frame's number", (1, u64::from(u32::MAX)))?;
        Some(Spanned::new(u32::try_from(number).ok()?, json.span))
    }

    /// A text that says why, and says something.
    fn reason(&mut self, json: &Json) -> Option<Spanned<String>> {
        let reason = self.plain_text(json, "a reason")?;
        if reason.trim().is_empty() {
            self.fault(reason.span, "an empty reason", "say why: the report shows it");
            return None;
        }
        if reason.len() > MAX_REASON {
            let message = format!("a reason of {} bytes", reason.len());
            self.fault(reason.span, message, format!("at most {MAX_REASON}"));
            return None;
        }
        Some(reason)
    }

    fn not_on(&mut self, file: &Object<'_>) -> Vec<Reason> {
        let mut all = Vec::new();
        for member in self.map(file, "not-on") {
            if let Some(reason) = self.reason(&member.value) {
                all.push(Reason { wire: member.key.clone(), reason });
            }
        }
        all
    }

    /// Notes that a list or object which must have something in it is empty.
    pub(super) fn not_empty(&mut self, file: &Object<'_>, name: &str, help: &str) {
        let listed = matches!(SCENARIO.key(name), Some(Key { shape: Shape::List(_), .. }));
        let span = match file.get(name) {
            Some(Json { kind: Kind::List(items), span }) if listed && items.is_empty() => *span,
            Some(Json { kind: Kind::Object(all), span }) if !listed && all.is_empty() => *span,
            _ => return,
        };
        self.fault(span, format!("`{name}` is empty"), help);
    }
}
