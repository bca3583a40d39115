//! Distinguished names, as SPIRE and Go write, read and print them.

use std::fmt;

use x509_cert::spki::ObjectIdentifier;

use super::oid;
use super::tlv::{Element, OBJECT_IDENTIFIER, SEQUENCE, SET, read, read_a, tlv};

const UTF8: u8 = 0x0c;
const NUMERIC: u8 = 0x12;
const PRINTABLE: u8 = 0x13;
const TELETEX: u8 = 0x14;
const IA5: u8 = 0x16;
const BMP: u8 = 0x1e;

/// Go knows no short name for it.
const UNIQUE_ID: &str = "2.5.4.45";

/// The subject of a signing certificate (SPIRE's `ca_subject`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaSubject {
    /// Countries, in order.
    pub country: Vec<String>,
    /// Organizations, in order.
    pub organization: Vec<String>,
    /// The common name; none if empty.
    pub common_name: String,
}

impl Default for CaSubject {
    /// `C=US, O=SPIFFE` (SPIRE 1.16).
    fn default() -> Self {
        Self { country: vec!["US".into()], organization: vec!["SPIFFE".into()], common_name: String::new() }
    }
}

/// A distinguished name by the types that Go knows (its `pkix.Name`). Printed in Go's form: the reverse of how it is
/// written, `SERIALNUMBER=1,O=SPIFFE,C=US`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DistinguishedName {
    /// `C`
    pub country: Vec<String>,
    /// `O`
    pub organization: Vec<String>,
    /// `OU`
    pub organizational_unit: Vec<String>,
    /// `L`
    pub locality: Vec<String>,
    /// `ST`
    pub province: Vec<String>,
    /// `STREET`
    pub street_address: Vec<String>,
    /// `POSTALCODE`
    pub postal_code: Vec<String>,
    /// `CN`; none if empty. Of several, the last.
    pub common_name: String,
    /// `SERIALNUMBER`; none if empty. Of several, the last.
    pub serial_number: String,
    /// Of other types, printed and never written: the type with dots, and the value's DER.
    pub other: Vec<(String, Vec<u8>)>,
    /// `2.5.4.45` (X.520 uniqueIdentifier, as text); none if empty. Written last and never read: what is read is in
    /// `other`.
    pub unique_id: String,
}

impl DistinguishedName {
    /// `C=US, O=SPIRE`: what SPIRE 1.16 calls workloads.
    pub fn of_workloads() -> Self {
        Self { country: vec!["US".into()], organization: vec!["SPIRE".into()], ..Self::default() }
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// From a DER Name (RFC 5280 §4.1.2.4).
    pub(super) fn parse(der: &[u8]) -> Option<Self> {
        let mut name = Self::default();
        walk(der, |kind, value| name.take(kind, value))?;
        Some(name)
    }

    fn take(&mut self, kind: &Element<'_>, value: &Element<'_>) {
        let list = match kind.whole {
            oid::COUNTRY => &mut self.country,
            oid::ORGANIZATION => &mut self.organization,
            oid::ORGANIZATIONAL_UNIT => &mut self.organizational_unit,
            oid::LOCALITY => &mut self.locality,
            oid::PROVINCE => &mut self.province,
            oid::STREET_ADDRESS => &mut self.street_address,
            oid::POSTAL_CODE => &mut self.postal_code,
            oid::COMMON_NAME => return self.common_name = decode(value).unwrap_or_default(),
            oid::SERIAL_NUMBER => return self.serial_number = decode(value).unwrap_or_default(),
            _ => {
                let dotted = ObjectIdentifier::from_bytes(kind.content).map(|oid| oid.to_string());
                let der = decode(value).map_or_else(|| value.whole.to_vec(), |value| text(&value));
                return self.other.push((dotted.unwrap_or_else(|_| "?".to_owned()), der));
            }
        };
        list.extend(decode(value));
    }

    /// In the order of Go 1.26: one RDN for each type, its values a set.
    fn rdns(&self) -> [(&'static [u8], &'static str, &[String]); 10] {
        let one = |text: &'_ String| !text.is_empty();
        let optional = |text| if one(text) { std::slice::from_ref(text) } else { &[] };
        [
            (oid::COUNTRY, "C", &self.country),
            (oid::PROVINCE, "ST", &self.province),
            (oid::LOCALITY, "L", &self.locality),
            (oid::STREET_ADDRESS, "STREET", &self.street_address),
            (oid::POSTAL_CODE, "POSTALCODE", &self.postal_code),
            (oid::ORGANIZATION, "O", &self.organization),
            (oid::ORGANIZATIONAL_UNIT, "OU", &self.organizational_unit),
            (oid::COMMON_NAME, "CN", optional(&self.common_name)),
            (oid::SERIAL_NUMBER, "SERIALNUMBER", optional(&self.serial_number)),
            (oid::UNIQUE_ID, UNIQUE_ID, optional(&self.unique_id)),
        ]
    }

    /// As DER, without what is of other types.
    pub(super) fn to_der(&self) -> Vec<u8> {
        let mut rdns = Vec::new();
        for (oid, _, values) in self.rdns() {
            let mut set: Vec<Vec<u8>> =
                values.iter().map(|value| tlv(SEQUENCE, &[oid, &text(value)])).collect();
            if !set.is_empty() {
                // A SET OF is sorted in DER.
                set.sort();
                rdns.push(tlv(SET, &set.iter().map(Vec::as_slice).collect::<Vec<_>>()));
            }
        }
        tlv(SEQUENCE, &rdns.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }
}

/// Whether this is a DER Name.
pub(super) fn well_formed(der: &[u8]) -> bool {
    walk(der, |_, _| {}).is_some()
}

/// Goes through the types and values of a DER Name, from the first to the last. `None` if it is none.
pub(super) fn walk<'a>(der: &'a [u8], mut each: impl FnMut(&Element<'a>, &Element<'a>)) -> Option<()> {
    let mut sets = read_a(SEQUENCE, der).filter(|name| name.rest.is_empty())?.content;
    while !sets.is_empty() {
        let set = read_a(SET, sets)?;
        sets = set.rest;
        let mut pairs = set.content;
        while !pairs.is_empty() {
            let pair = read_a(SEQUENCE, pairs)?;
            pairs = pair.rest;
            let kind = read_a(OBJECT_IDENTIFIER, pair.content)?;
            let value = read(kind.rest).filter(|value| value.rest.is_empty())?;
            each(&kind, &value);
        }
    }
    Some(())
}

impl From<&CaSubject> for DistinguishedName {
    fn from(subject: &CaSubject) -> Self {
        Self {
            country: subject.country.clone(),
            organization: subject.organization.clone(),
            common_name: subject.common_name.clone(),
            ..Self::default()
        }
    }
}

impl fmt::Display for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for (_, kind, values) in self.rdns().into_iter().rev() {
            for (index, value) in values.iter().enumerate() {
                let between = if index > 0 { "+" } else { "," };
                write!(f, "{}{kind}=", if first { "" } else { between })?;
                first = false;
                match kind {
                    UNIQUE_ID => hexadecimal(f, &text(value))?,
                    _ => f.write_str(&escape(value))?,
                }
            }
        }
        for (kind, der) in self.other.iter().rev() {
            f.write_str(if first { "" } else { "," })?;
            first = false;
            write!(f, "{kind}=")?;
            hexadecimal(f, der)?;
        }
        Ok(())
    }
}

/// The DER of a value whose type has no name (RFC 2253 §2.4).
fn hexadecimal(f: &mut fmt::Formatter<'_>, der: &[u8]) -> fmt::Result {
    f.write_str("#")?;
    der.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

/// The escapes of RFC 2253 §2.4, where Go makes them.
fn escape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let last = value.len().saturating_sub(1);
    for (at, c) in value.char_indices() {
        let special = match c {
            ',' | '+' | '"' | '\\' | '<' | '>' | ';' => true,
            ' ' => at == 0 || at == last,
            '#' => at == 0,
            _ => false,
        };
        if special {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// The text of a value; `None` if it is of a kind that is no text.
pub(super) fn decode(value: &Element<'_>) -> Option<String> {
    match value.tag {
        UTF8 | NUMERIC | PRINTABLE | TELETEX | IA5 => {
            Some(String::from_utf8_lossy(value.content).into_owned())
        }
        BMP => {
            let pairs = value.content.chunks_exact(2).filter_map(|pair| <[u8; 2]>::try_from(pair).ok());
            Some(String::from_utf16_lossy(&pairs.map(u16::from_be_bytes).collect::<Vec<_>>()))
        }
        _ => None,
    }
}

/// PrintableString where its alphabet allows, as Go does; UTF8String otherwise. Peers compare names byte by byte.
fn text(value: &str) -> Vec<u8> {
    let printable = |b: u8| b.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&b);
    let tag = if value.bytes().all(printable) { PRINTABLE } else { UTF8 };
    tlv(tag, &[value.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> DistinguishedName {
        DistinguishedName {
            country: vec!["US".into(), "DE".into()],
            organization: vec!["A, B".into()],
            organizational_unit: vec!["DOWNSTREAM-1".into()],
            common_name: "#é ".into(),
            serial_number: "12".into(),
            ..DistinguishedName::default()
        }
    }

    #[test]
    fn a_name_prints_as_go_prints_it() {
        assert_eq!(DistinguishedName::of_workloads().to_string(), "O=SPIRE,C=US");
        // The values of a type are a set in DER, so the order of the two countries is that of their bytes once read.
        assert_eq!(full().to_string(), r"SERIALNUMBER=12,CN=\#é\ ,OU=DOWNSTREAM-1,O=A\, B,C=US+C=DE");
        assert_eq!(DistinguishedName::default().to_string(), "");
    }

    #[test]
    fn what_is_written_reads_back() {
        let mut name = full();
        name.country.sort();
        assert_eq!(DistinguishedName::parse(&name.to_der()), Some(name));
        assert!(DistinguishedName::parse(&[0x30, 0x02, 0x31]).is_none());
    }

    #[test]
    fn a_unique_identifier_is_written_last_and_prints_as_in_spire() {
        let name = DistinguishedName {
            common_name: "web".into(),
            unique_id: "b0a0f9c3bb9c4bd9".into(),
            ..DistinguishedName::of_workloads()
        };
        let value = [&[0x06, 0x03, 0x55, 0x04, 0x2d, 0x13, 0x10][..], b"b0a0f9c3bb9c4bd9"].concat();
        assert!(name.to_der().ends_with(&value));
        let printed = "2.5.4.45=#131062306130663963336262396334626439,CN=web,O=SPIRE,C=US";
        assert_eq!(name.to_string(), printed);
        let read = DistinguishedName::parse(&name.to_der()).unwrap();
        assert!(read.unique_id.is_empty());
        // Go lists what it has no name for after the rest, and so last when it prints what it has read.
        assert_eq!(read.to_string(), "CN=web,O=SPIRE,C=US,2.5.4.45=#131062306130663963336262396334626439");
    }

    #[test]
    fn types_go_does_not_know_come_last_as_hexadecimal() {
        // emailAddress, an IA5String
        let oid = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01];
        let email = tlv(SET, &[&tlv(SEQUENCE, &[&oid, &tlv(IA5, &[b"a@b"])])]);
        let country = tlv(SET, &[&tlv(SEQUENCE, &[oid::COUNTRY, &text("US")])]);
        let name = DistinguishedName::parse(&tlv(SEQUENCE, &[&email, &country])).unwrap();
        assert_eq!(name.to_string(), "C=US,1.2.840.113549.1.9.1=#0c03614062");
    }
}
