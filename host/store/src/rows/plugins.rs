//! Rows of the plugin registry, and those of its statements that both databases
//! understand.

use pairing_core::{
    plugin::{PluginDigest, Slot},
    plugin_store::{
        Canary, NumberedChange, Parked, Pin, PluginChange, PluginVersion, SlotState, Verdict,
    },
    store::StoreError,
};

use super::{Columns, Reading};

impl<R: Columns> Reading<'_, R> {
    fn slot(&self) -> Result<Slot, StoreError> {
        self.word("slot", self.text("slot")?)
    }

    fn optional_digest(&self, column: &'static str) -> Result<Option<PluginDigest>, StoreError> {
        Ok(self.optional_text(column)?.map(|text| PluginDigest(text.into())))
    }

    fn share(&self) -> Result<Option<u8>, StoreError> {
        match self.row.optional_integer("share") {
            Ok(None) => Ok(None),
            _ => self.number("share").map(Some),
        }
    }
}

/// PostgreSQL's text holds no zero character, and what a plugin says of itself
/// may have one: it is shown as the sign for what can't be shown.
pub(crate) fn plain(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}

/// As [`plain`].
pub(crate) fn optional_plain(text: Option<&String>) -> Option<String> {
    text.map(|text| plain(text))
}

/// Times, sender and source stay those of the first time. A version that was
/// signed or accepted stays so when it comes again without.
pub(crate) const ADD_VERSION: &str = "
    INSERT INTO plugin_versions (slot, digest, name, version, source, signed_by, accepted_by,
        facts, created_at, created_by)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
    ON CONFLICT (slot, digest) DO UPDATE SET facts = excluded.facts,
        signed_by = COALESCE(excluded.signed_by, plugin_versions.signed_by),
        accepted_by = COALESCE(excluded.accepted_by, plugin_versions.accepted_by)";

/// Without the components, which are large.
pub(crate) const VERSIONS: &str = "
    SELECT plugin_versions.*, plugin_artifacts.size
    FROM plugin_versions JOIN plugin_artifacts USING (digest)
    WHERE slot = $1 ORDER BY created_at DESC, digest";

pub(crate) fn version(row: &impl Columns) -> Result<PluginVersion, StoreError> {
    let key = format!(
        "{}/{}",
        row.text("slot").unwrap_or_default(),
        row.text("digest").unwrap_or_default()
    );
    let row = Reading::of("plugin_versions", row, key);
    Ok(PluginVersion {
        slot: row.slot()?,
        digest: row.digest("digest")?,
        name: row.text("name")?,
        version: row.text("version")?,
        size: row.number("size")?,
        source: row.text("source")?,
        signed_by: row.optional_text("signed_by")?,
        accepted_by: row.optional_text("accepted_by")?,
        facts: row.json("facts")?,
        created_at: row.time("created_at")?,
        created_by: row.text("created_by")?,
    })
}

pub(crate) const SET_SLOT: &str = "
    INSERT INTO plugin_slots (slot, generation, active, canary, share)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (slot) DO UPDATE SET generation = excluded.generation,
        active = excluded.active, canary = excluded.canary, share = excluded.share";

pub(crate) fn slot(row: &impl Columns) -> Result<SlotState, StoreError> {
    let row = Reading::of("plugin_slots", row, row.text("slot").unwrap_or_default());
    let canary = match row.share()? {
        Some(share) => Some(Canary { digest: row.digest("canary")?, share }),
        None => None,
    };
    Ok(SlotState {
        slot: row.slot()?,
        generation: row.number("generation")?,
        active: row.digest("active")?,
        canary,
    })
}

/// The host's own slots first, then handlers by name.
pub(crate) fn in_order(mut slots: Vec<SlotState>) -> Vec<SlotState> {
    slots.sort_by_key(|state| state.slot);
    slots
}

/// The next number, held until the transaction ends.
pub(crate) const NEXT_NUMBER: &str =
    "UPDATE plugin_change_head SET last_number = last_number + 1 RETURNING last_number";

pub(crate) const ADD_CHANGE: &str = "
    INSERT INTO plugin_changes (number, slot, at, who, action, from_digest, to_digest, share, why,
        refusal, detail)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

pub(crate) const CHANGES: &str = "
    SELECT * FROM plugin_changes WHERE slot = $1 AND number < $2
    ORDER BY number DESC LIMIT $3";

pub(crate) fn change(row: &impl Columns) -> Result<NumberedChange, StoreError> {
    let number = row.integer("number").unwrap_or_default().to_string();
    let row = Reading::of("plugin_changes", row, number);
    Ok(NumberedChange {
        number: row.number("number")?,
        change: PluginChange {
            slot: row.slot()?,
            at: row.time("at")?,
            who: row.text("who")?,
            action: row.word("action", row.text("action")?)?,
            from: row.optional_digest("from_digest")?,
            to: row.optional_digest("to_digest")?,
            share: row.share()?,
            why: row.text("why")?,
            refusal: row.optional_text("refusal")?,
            detail: row.text("detail")?,
        },
    })
}

pub(crate) fn pin(row: &impl Columns) -> Result<Pin, StoreError> {
    let row = Reading::of("plugin_pins", row, row.text("session_name").unwrap_or_default());
    Ok(Pin {
        session: row.session("session_name")?,
        digest: row.digest("digest")?,
        why: row.text("why")?,
        at: row.time("at")?,
    })
}

pub(crate) const ADD_VERDICT: &str = "
    INSERT INTO plugin_verdicts (slot, digest, at, gate, passed, message, report)
    VALUES ($1, $2, $3, $4, $5, $6, $7)";

/// The last hundred: each activation adds one.
pub(crate) const VERDICTS: &str = "
    SELECT * FROM (SELECT * FROM plugin_verdicts WHERE slot = $1 AND digest = $2
        ORDER BY number DESC LIMIT 100) AS newest
    ORDER BY number";

pub(crate) fn verdict(row: &impl Columns) -> Result<Verdict, StoreError> {
    let number = row.integer("number").unwrap_or_default().to_string();
    let row = Reading::of("plugin_verdicts", row, number);
    Ok(Verdict {
        slot: row.slot()?,
        digest: row.optional_digest("digest")?,
        at: row.time("at")?,
        gate: row.text("gate")?,
        passed: row.number::<u8>("passed")? == 1,
        message: row.text("message")?,
        report: row.optional_text("report")?,
    })
}

/// Removes all but the newest 1,000 of a slot.
pub(crate) const TRIM_PARKED: &str = "
    DELETE FROM parked WHERE slot = $1 AND number <= (
        SELECT number FROM parked WHERE slot = $1 ORDER BY number DESC LIMIT 1 OFFSET 1000)";

pub(crate) const PARKED: &str =
    "SELECT * FROM parked WHERE slot = $1 ORDER BY number DESC LIMIT $2";

pub(crate) fn parked(row: &impl Columns) -> Result<Parked, StoreError> {
    let row = Reading::of("parked", row, row.integer("number").unwrap_or_default().to_string());
    Ok(Parked {
        slot: row.slot()?,
        session: row.session("session_name")?,
        at: row.time("at")?,
        what: row.text("what")?,
        reason: row.text("reason")?,
        input: row.optional_text("input")?,
        context: row.optional_text("context")?,
    })
}
