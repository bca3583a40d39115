//! What this crate does where the standards contradict themselves, leave something open, or are read differently by others.
//!
//! The rule: **strict on what is issued and published, the standard's word on what is accepted.** Where the word is
//! missing, the outcome that gives no one more than was meant. Each row has a vector in `testing/vectors` or a test. There
//! is nothing to call in this module.
//!
//! go-spiffe is looked at in version 2.8, rust-spiffe in version 0.16 with spiffe-rustls 0.8, SPIRE in version 1.15.
//!
//! # Where the documents contradict themselves or are silent
//!
//! | case | what the text says | what others do | what happens here, and why |
//! |---|---|---|---|
//! | letters of the trust domain | lower case (SPIFFE-ID §2.1); no case (§2.4) | go-spiffe refuses capitals, rust-spiffe lowers them | capitals are refused everywhere: an identity has one spelling, and comparing bytes is enough |
//! | a signing certificate's own SPIFFE ID | must have one (SPIFFE-ID §3.1); should (X509-SVID §3.2) | both accept authorities without one | issued with `spiffe://<trust domain>`; read without: an enterprise's root has none |
//! | `digitalSignature` of authorities | leaves only (X509-SVID App. A); nothing (§4.3) | both accept it | not issued; accepted |
//! | the ID `spiffe://example.com/` of the sample authorities | ends in a slash, which SPIFFE-ID §2.2 forbids | loaded | names of authorities are not parsed as IDs when a bundle is read; a leaf with such an ID is refused |
//! | uses of keys | two (Trust Domain and Bundle §4.2.2), and a third (WIT-SVID §6.1) | SPIRE before it knew the third refuses a document with it | three are read; the third is written where the caller says so ([`WitKeys`](crate::bundle::WitKeys)) |
//! | the hint's name | `spiffe_refresh_hint` (§4.1.2) and `refresh_hint` (§5.1.1, §6.1) | the first | the first; in a map's bundles neither counts |
//! | a leaf without basic constraints | cA is false (X509-SVID §4.1), which DER writes by leaving it away | rust-spiffe refuses its own SVID so, peers accept it | written as an empty extension; read as no authority where it is missing |
//! | `aud` of JWT-SVIDs | a text or a list (JWT-SVID §3.2); a text (the schema) | lists are accepted | both; the schema is no gate |
//! | leeway of `exp` | a small one is allowed (JWT-SVID §4, WIT-SVID §3.4) | go-spiffe a minute, rust-spiffe none | none: an issuer's `exp` is the end of what it vouches for |
//! | leeway of `nbf` | not granted (RFC 7519 §4.1.5 allows one) | go-spiffe a minute | a minute for JWT-SVIDs, whose issuer's clock may be ahead; none for WIT-SVIDs (§3.5) |
//! | a JWT or WIT authority that is tainted, or whose time is over | keys have no such members (Trust Domain and Bundle §4.2); what is not in the bundle is revoked (§4.2.3) | SPIRE verifies with whatever its bundle holds, and takes out what has been over for a day | it verifies until it leaves the bundle, and what was verified says by which ([`VerifiedJwtSvid::authority`](crate::jwt::VerifiedJwtSvid::authority)): to taint is to prepare, to revoke is to end |
//! | further headers of a JWT-SVID | an issuer must not (§2); a verifier: silent | accepted, not looked at | not written; not looked at, except that any `crit` refuses |
//! | `aud` of a WIT-SVID | an issuer must not (§3.8); a verifier: silent | go-spiffe accepts an empty list | any refuses, the empty list too: the proof says for whom it is |
//! | a path-less subject of a JWT-SVID | not forbidden | accepted | accepted in tokens; refused in leaves (X509-SVID §5.2) |
//! | `workload.spiffe.io: true` twice | one is asked for (Workload Endpoint §3) | SPIRE refuses two | refused: one may have been added on the way |
//! | a sequence number that is negative, broken or too great | an integer of at least 64 bits (§4.1.1) | go-spiffe refuses the bundle | refused: without its number a bundle cannot be ordered |
//! | a refresh hint of nothing, less, or more than a year | an integer of seconds (§4.1.2) | go-spiffe takes negative ones | not positive says nothing; more than a year is a year; fetches are from ten seconds to a year apart |
//! | a sequence number that goes back | order by it (Federation §4.2) | go-spiffe takes whatever differs | a late copy, until three answers in a row agree that the publisher began anew ([`Succession`](crate::bundle::Succession)) |
//! | keys of the Workload API without `use` | each has one (§4.2.2); SPIRE's JWT bundles have none | both do not look at it | taken for the use that was asked for; another use is passed over. In federated bundles a use is needed |
//! | a document or a key with a member twice | names should be unique (RFC 8259 §4); a map with one is refused (§5.1.1) | the last counts | a document or map is refused, a key is passed over alone: readers differ on what it says |
//!
//! # Where go-spiffe or rust-spiffe differ from the text
//!
//! | case | what the text says | what others do | what happens here, and why |
//! |---|---|---|---|
//! | a leaf with the ID of a trust domain | a path is needed (X509-SVID §5.2) | both accept it from a peer | refused |
//! | an intermediate without `keyCertSign` | refused (RFC 5280 §6.1.4 (n)) | rustls-webpki accepts it | refused |
//! | an authority that has expired, is no CA or may not sign | local policy (RFC 5280 §6.1.1 (d)) | Go refuses, webpki accepts | roots nothing, but stays in the bundle that was read |
//! | URI name constraints | allowed (X509-SVID §4.2) | Go checks them, webpki refuses any | checked as Go does: an exact host, or with a leading dot its subdomains |
//! | key usage of a leaf | issuers set it (§4.3); verifiers look for two bits (§5.2) | rust-spiffe needs it, go-spiffe does not | issued critical with `digitalSignature`; not asked for |
//! | extended key usage | both sides of TLS if it is there (§4.4) | Go ignores it, webpki asks for the side | issued with both; where it is there it has to name a side of TLS, and the one in use where the caller says which |
//! | a name or a depth that an authority above forbids | refused by verifiers (RFC 5280 §6.1.3, §6.1.4) | Go and SPIRE issue it | not issued, as far as the path above is known |
//! | an intermediate's ID with a path, or of elsewhere | issuers must not, should not (§3.2) | both accept it | not issued; not looked at in others' |
//! | a URI that parses to another text (`spiffe://td/w#`, `SPIFFE://td/w`) | one spelling (SPIFFE-ID §2) | Go accepts both from certificates | refused: the bytes of the name are the ID |
//! | trust domains with empty labels (`a..b`, `a.`) | allowed (§2.1) | Go cannot read such certificates | accepted |
//! | IDs of more than 2048 bytes, trust domains of more than 255 | should not, may not (§2.3) | both accept them | refused |
//! | a token without `kid` | optional (JWT-SVID §2.2) | both refuse it | every authority is tried; issued always with one |
//! | no audience configured | a verifier's own value must be there (§3.2) | go-spiffe then accepts tokens without `aud` | refused |
//! | RSA keys of less than 2048 bits | not for these algorithms (RFC 7518 §3.3) | go-spiffe accepts them | refused |
//! | ES512 | one of nine (§2.1) | rust-spiffe cannot verify it | verified and signed |
//! | a fraction in `exp` | a NumericDate may have one (RFC 7519 §2) | rust-spiffe refuses it | accepted |
//! | a future `iat` | decides nothing (WIT-SVID §3.6) | go-spiffe refuses it | does not matter |
//! | `cnf.jwk.alg` that does not fit its key | fits (RFC 7518) | go-spiffe accepts it | refused |
//! | a WIT-SVID without a proof | never a bearer token (WIT-SVID §7.1) | go-spiffe verifies no proofs | a verified one names no peer; [`ProvenWit`](crate::proof::ProvenWit) does |
//! | a key of an unknown type, use or curve, without `kid`, with none or several certificates | passed over alone, the first counts (§4.1.3, §4.2; X509-SVID §6.2; JWT-SVID §6.1) | go-spiffe and SPIRE refuse the bundle | passed over alone, and told ([`ReadBundle`](crate::bundle::ReadBundle)) |
//! | symmetric or private keys in a bundle | public ones (§4.1.3) | go-spiffe takes them | passed over |
//! | one `kid` for two uses | unique in the bundle (WIT-SVID §6.1) | go-spiffe takes both | cannot be built; when read, the first has it |
//! | a key of one use that verifies another's documents | by use (JWT-SVID §6.2, WIT-SVID §6.2) | both do not look at `use` in Workload API payloads | kept apart by type |
//! | an empty bundle | `"keys": []` (§4.1.3) | go-spiffe writes `null` | a list, and nothing of the trust domain is valid |
//! | `http://`, user information, redirects to either | refused (Federation §5.2) | go-spiffe follows them | refused, at each redirect ([`Fetch`](crate::endpoint::Fetch)) |
//! | the bundle to begin with, after the first fetch | not used again (Federation §5.2.2.4) | go-spiffe leaves it to the caller | not used again ([`BundleEndpoint::peer`](crate::endpoint::BundleEndpoint::peer)) |
//! | addresses such as `unix://a/b`, `tcp://127.0.0.1:0`, `unix:///a?` | nothing but a path, or an address and a port (Workload Endpoint §4) | both accept some | refused |
