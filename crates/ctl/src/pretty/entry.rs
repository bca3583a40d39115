//! Entries.

use std::io::{self, Write};

use proto::spire::api::types::Entry;

use crate::text;

/// One entry, with a blank line after it.
pub(crate) fn print(out: &mut dyn Write, entry: &Entry) -> io::Result<()> {
    let mut line = |label: &str, value: &str| writeln!(out, "{label:24}: {value}");

    line("Entry ID", if entry.id.is_empty() { "(none)" } else { &entry.id })?;
    line("SPIFFE ID", &text::id(entry.spiffe_id.as_ref()))?;
    line("Parent ID", &text::id(entry.parent_id.as_ref()))?;
    line("Revision", &entry.revision_number.to_string())?;
    if entry.downstream {
        line("Downstream", "true")?;
    }
    line("X509-SVID TTL", &ttl(entry.x509_svid_ttl))?;
    line("JWT-SVID TTL", &ttl(entry.jwt_svid_ttl))?;
    if entry.expires_at != 0 {
        line("Expiration time", &text::time(entry.expires_at))?;
    }
    for selector in &entry.selectors {
        line("Selector", &format!("{}:{}", selector.r#type, selector.value))?;
    }
    for trust_domain in &entry.federates_with {
        line("FederatesWith", trust_domain)?;
    }
    for name in &entry.dns_names {
        line("DNS name", name)?;
    }
    if entry.admin {
        line("Admin", "true")?;
    }
    if entry.store_svid {
        line("StoreSvid", "true")?;
    }
    if !entry.hint.is_empty() {
        line("Hint", &entry.hint)?;
    }
    let attributes = entry.additional_attributes.unwrap_or_default();
    if attributes.disable_x509_svid_prefetch {
        line("DisableX509SvidPrefetch", "true")?;
    }
    if attributes.jwt_svid_include_jti {
        line("JwtSvidIncludeJti", "true")?;
    }
    writeln!(out)
}

/// How many entries were found, then the entries.
pub(crate) fn print_found(out: &mut dyn Write, entries: &[Entry]) -> io::Result<()> {
    writeln!(out, "Found {}", text::count(entries.len(), "entry", "entries"))?;
    entries.iter().try_for_each(|entry| print(out, entry))
}

/// The order in which entries are shown: by SPIFFE ID, parent, TTLs and selectors. Selectors are put in order too.
pub(crate) fn sort(entries: &mut [Entry]) {
    for entry in entries.iter_mut() {
        entry.selectors.sort_by(|a, b| (&a.r#type, &a.value).cmp(&(&b.r#type, &b.value)));
    }
    let id = |id: &Option<proto::spire::api::types::Spiffeid>| {
        id.as_ref().map(|id| (id.trust_domain.clone(), id.path.clone()))
    };
    entries.sort_by_cached_key(|entry| {
        let selectors: Vec<_> = entry.selectors.iter().map(|s| (s.r#type.clone(), s.value.clone())).collect();
        (
            id(&entry.spiffe_id),
            id(&entry.parent_id),
            entry.x509_svid_ttl,
            entry.jwt_svid_ttl,
            selectors.len(),
            selectors,
        )
    });
}

fn ttl(seconds: i32) -> String {
    if seconds == 0 { "default".to_owned() } else { seconds.to_string() }
}

#[cfg(test)]
mod tests;
