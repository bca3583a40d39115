use super::*;

/// Whatever a damaged file holds, reading it ends in an answer.
#[test]
fn bytes_that_are_cut_short_or_altered_never_panic() {
    let agent = model::Agent {
        id: spiffe::SpiffeId::parse("spiffe://example.org/spire/agent/x509pop/node").unwrap(),
        ord: 300,
        attestation_type: "x509pop".to_owned(),
        serial: "123".to_owned(),
        expires_at: model::UnixTime(-1),
        new_serial: "4".to_owned(),
        new_expires_at: Some(model::UnixTime(0)),
        selectors: ["a:b", "c:d"].iter().map(|text| model::Selector::parse(text).unwrap()).collect(),
        can_reattest: true,
        version: "1".to_owned(),
        revision: i64::MAX,
    };
    let bytes = agent_bytes(&agent);
    assert_eq!(agent_of(&bytes).unwrap(), agent);
    let mut altered: Vec<Vec<u8>> = (0..bytes.len()).map(|end| bytes[..end].to_vec()).collect();
    for place in 0..bytes.len() {
        for bit in 0..8 {
            let mut other = bytes.clone();
            other[place] ^= 1 << bit;
            altered.push(other);
        }
    }
    let mut refused = 0;
    for bytes in &altered {
        refused += usize::from(agent_of(bytes).is_err());
        let _ = EntryReader::default().read(bytes);
        let _ = bundle_of(bytes);
        let _ = footprint_of(bytes);
        let _ = relationship_of(bytes);
    }
    assert!(refused > bytes.len());
}

#[test]
fn a_field_that_the_registry_never_lets_in_is_named() {
    let footprint = model::Footprint::default();
    assert!(footprint_bytes(&footprint).is_empty());
    assert_eq!(footprint_of(b"").unwrap(), footprint);
    let told = agent_of(b"").unwrap_err().to_string();
    assert!(told.contains("its id is wrong"), "{told}");
}
