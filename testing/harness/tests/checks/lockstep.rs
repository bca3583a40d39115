//! Orders and mistakes, one after the other, to two servers that begin empty: our commands on our server, SPIRE's on
//! SPIRE's. Each must end with the same exit code, print the same but for what is new each time, and say what went
//! wrong in the same words; ours may add what to do.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use harness::{Domain, Options, Program, Ran};

const FILES: [(&str, &str); 6] = [
    (
        "entries.json",
        r#"{"entries":[{"spiffe_id":"spiffe://example.org/f1","parent_id":"spiffe://example.org/p","selectors":[{"type":"a","value":"b"}],"x509_svid_ttl":200,"entry_id":"f1","hint":"h","dns_names":["a.b"],"admin":true},{"spiffe_id":"spiffe://example.org/f2","parent_id":"spiffe://example.org/p","selectors":[{"type":"a","value":"c"}],"entry_id":"f2","store_svid":false,"jwt_svid_ttl":10}]}"#,
    ),
    ("bad.json", r#"{"entries":[{"spiffe_id":1}]}"#),
    (
        "update.json",
        r#"{"entries":[{"entry_id":"f1","spiffe_id":"spiffe://example.org/f1","parent_id":"spiffe://example.org/p","selectors":[{"type":"a","value":"z"}]}]}"#,
    ),
    ("ids.json", r#"{"ids":["f1","nope"]}"#),
    (
        "federation.json",
        r#"{"federationRelationships":[{"trustDomain":"td1.test","bundleEndpointURL":"https://td1.test/b","bundleEndpointProfile":"https_web"},{"trustDomain":"td2.test","bundleEndpointURL":"https://td2.test/b","bundleEndpointProfile":"https_spiffe","endpointSPIFFEID":"spiffe://td2.test/e"}]}"#,
    ),
    ("nonsense", "nonsense"),
];

/// A line each; `< FILE` is standard input, `@` stands for the server's folder, E and P for what most entries have.
const LINES: &str = "\
token generate
token generate -spiffeID spiffe://example.org/n -ttl 60
token generate -output json
token generate -ttl 0
token generate -ttl -1
token generate -spiffeID spiffe://other.org/n
entry create E -selector a:b -entryID w1
entry create E -selector a:b
entry create E -selector a:b -output json
entry create -data @entries.json
entry create -data - -output json < entries.json
entry update -data @update.json
entry update -data @update.json -output json
entry update E -selector a:b -entryID w1 -jwtSVIDIncludeJTI -disableX509SVIDPrefetch
entry update -parentID spiffe://example.org/p
entry create
entry create -spiffeID spiffe://example.org/x
entry create E
entry create E -selector a:b -x509SVIDTTL -5
entry create E -selector a:b -jwtSVIDTTL -5
entry create E -selector a:b -federatesWith nonsense
entry create -node -spiffeID spiffe://example.org/nodes -selector a:b -entryID n1
entry create -node E -selector a:b
entry create -spiffeID spiffe://example.org/spire/x P -selector a:b
entry create -spiffeID spiffe://example.org/sto P -selector a:b -storeSVID -hint hi -dns x.y -downstream -entryExpiry 4000000000
entry show
entry show -output json
entry show -entryID w1
entry show -entryID nope
entry show -entryID w1 -spiffeID spiffe://example.org/w
entry show -selector a:b
entry show -selector a:b -matchSelectorsOn exact
entry show -downstream
entry show -hint h
entry show -federatesWith spiffe://x.y
entry show -federatesWith x.y -matchFederatesWithOn any
entry show P
entry count
entry count -output json
entry count -hint h
entry count -selector a:b -matchSelectorsOn any
entry count -downstream
entry delete -file @ids.json
entry delete -entryID f2
entry delete -entryID w1 -output json
entry delete -entryID w1
entry delete -file - -output json < ids.json
entry delete
bundle show
bundle show -format spiffe
bundle count
bundle count -output json
bundle list
bundle list -id spiffe://nope.test
bundle set
bundle set -id spiffe://a.test -path @ca.pem
bundle set -id spiffe://a.test -output json < ca.pem
bundle set -id spiffe://example.org -path @ca.pem
bundle list
bundle list -id spiffe://a.test
bundle list -id a.test -output json
bundle list -format spiffe
entry create -spiffeID spiffe://example.org/fed P -selector a:b -federatesWith spiffe://a.test -entryID fed
bundle delete -id spiffe://a.test -mode dissociate -output json
bundle delete -id spiffe://a.test
bundle delete
bundle delete -id spiffe://example.org -mode delete
agent list
agent list -output json
agent count
agent count -output json
agent list -banned maybe
agent list -banned true -canReattest false -attestationType x
agent show
agent show -spiffeID spiffe://example.org/spire/agent/x
agent ban
agent ban -spiffeID spiffe://example.org/spire/agent/x
agent evict
agent evict -spiffeID spiffe://example.org/spire/agent/x
agent evict -spiffeID spiffe://example.org/w
agent purge
agent purge -dryRun -output json
federation create -data @federation.json
federation list
federation list -output json
federation show -trustDomain td1.test
federation show -trustDomain nope.test
federation show
federation update -trustDomain td1.test -bundleEndpointURL https://td1.test/c -bundleEndpointProfile https_web
federation update -data - < federation.json
federation create
federation create -trustDomain b.test
federation create -trustDomain b.test -bundleEndpointURL https://b
federation create -trustDomain b.test -bundleEndpointURL https://b -bundleEndpointProfile x
federation create -trustDomain b.test -bundleEndpointURL https://b -bundleEndpointProfile https_spiffe
federation create -trustDomain b.test -bundleEndpointURL https://b -bundleEndpointProfile https_web -trustDomainBundlePath @ca.pem -trustDomainBundleFormat pem
federation create -trustDomain example.org -bundleEndpointURL https://b -bundleEndpointProfile https_web
federation create -trustDomain d.test -bundleEndpointURL http://b -bundleEndpointProfile https_web
federation delete -id td1.test
federation delete -id td1.test
federation delete
federation delete -id td2.test -output json
federation refresh
logger get
logger get -output json
logger set -level warn
logger set -level nope
logger set
logger set -level debug -output json
logger reset
healthcheck
healthcheck -verbose
healthcheck -shallow -verbose
x509 mint -spiffeID spiffe://example.org/m
x509 mint -spiffeID spiffe://example.org/m -write @
x509 mint
x509 mint -spiffeID spiffe://other.org/x
jwt mint -spiffeID spiffe://example.org/m -audience a
jwt mint -spiffeID spiffe://example.org/m -audience a -write @token
jwt mint -spiffeID spiffe://example.org/m
jwt mint -audience a
jwt mint -spiffeID spiffe://other.org/m -audience a
localauthority x509 show
localauthority x509 show -output json
localauthority x509 prepare
localauthority x509 activate
localauthority x509 activate -authorityID x
localauthority x509 taint
localauthority x509 revoke -authorityID x
localauthority jwt show
localauthority jwt prepare -output json
localauthority jwt activate -authorityID x
localauthority jwt revoke
upstreamauthority taint
upstreamauthority revoke -subjectKeyID aa
";

/// Both servers go the same way.
pub(crate) fn both_go_the_same_way(ours: Program, theirs: Program) {
    let domains = [ours, theirs].map(|program| {
        let domain = Domain::start_server(Options::default().programs(program, program));
        for (name, text) in FILES {
            fs::write(domain.folder().join(name), text).unwrap();
        }
        (program, domain)
    });
    let ca = domains[0].1.cli(&["bundle", "show"]).succeeds().stdout;
    domains.iter().for_each(|(_, domain)| fs::write(domain.folder().join("ca.pem"), &ca).unwrap());
    let mut faults = Vec::new();
    for line in LINES.lines() {
        let [ours, theirs] = [&domains[0], &domains[1]].map(|(program, domain)| run(*program, domain, line));
        let (here, there) = (seen(&domains[0].1, &ours.stdout), seen(&domains[1].1, &theirs.stdout));
        let says = |ran: &Ran| ran.stderr.lines().next().unwrap_or_default().trim_end().to_owned();
        if ours.code != theirs.code || here != there || !says(&ours).starts_with(&says(&theirs)) {
            faults.push(format!(
                "{line}\n{:?} {here:?}\n  {}\n{:?} {there:?}\n  {}",
                ours.code,
                says(&ours),
                theirs.code,
                says(&theirs)
            ));
        }
    }
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), LINES.lines().count(), faults.join("\n"));
}

fn run(program: Program, domain: &Domain, line: &str) -> Ran {
    let (line, input) = line.split_once(" < ").map_or((line, None), |(line, file)| (line, Some(file)));
    let folder = domain.folder().display().to_string();
    let mut words = Vec::new();
    for word in line.split(' ') {
        match word {
            "E" => words.extend(
                ["-parentID", "spiffe://example.org/p", "-spiffeID", "spiffe://example.org/w"]
                    .map(str::to_owned),
            ),
            "P" => words.extend(["-parentID", "spiffe://example.org/p"].map(str::to_owned)),
            word => words.push(word.replace('@', &format!("{folder}/"))),
        }
    }
    let mut command = program.server();
    command.args(&words).arg("-socketPath").arg(domain.peek_server().socket());
    let Some(input) = input else { return Ran::run(&mut command) };
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let text = fs::read(domain.folder().join(input)).unwrap();
    // A command that fails before it reads has closed it.
    let _ = child.stdin.take().unwrap().write_all(&text);
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran {
        command: line.to_owned(),
        code: output.status.code(),
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
    }
}

/// What is printed, without what is new each time: what is long and random, certificates, times.
fn seen(domain: &Domain, printed: &str) -> String {
    let printed = printed.replace(&domain.folder().display().to_string(), "@");
    let mut words = Vec::new();
    let mut within = false;
    for line in printed.trim_end().lines() {
        // A certificate or a key counts as one word.
        match (line.starts_with("-----BEGIN"), line.starts_with("-----END")) {
            (true, _) => (within, _) = (true, words.push("PEM".to_owned())),
            (_, true) => within = false,
            _ if within => {}
            _ => words.push(line.split_inclusive(|c: char| !is_of_a_word(c)).map(word).collect()),
        }
    }
    words.join("\n")
}

fn is_of_a_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_+/=".contains(c)
}

fn word(text: &str) -> String {
    let letters = text.trim_end_matches(|c| !is_of_a_word(c));
    let end = &text[letters.len()..];
    let digits = letters.bytes().filter(u8::is_ascii_digit).count();
    let random = letters.len() >= 20 && !letters.contains("//") && digits > 0;
    // Dates, times of the clock and Unix times.
    let time = (letters.len() == 10 || letters.len() == 2) && digits >= letters.len() - 2 && digits > 0;
    if random || time { format!("*{end}") } else { text.to_owned() }
}
