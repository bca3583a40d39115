use crate::{PathPart, PathTemplate, TemplateError};

const KNOWN: [&str; 3] = ["PluginName", "Subject.CommonName", "URISanSelectors.*"];

fn parse(text: &str) -> Result<PathTemplate, TemplateError> {
    PathTemplate::parse(text, &KNOWN)
}

#[test]
fn text_and_fields_are_told_apart() {
    let template = parse("/{{ .PluginName }}/a{{.Subject.CommonName}}/{{ .URISanSelectors.env_1 }}").unwrap();
    let expected = [
        PathPart::Text("/".to_owned()),
        PathPart::Field("PluginName".to_owned()),
        PathPart::Text("/a".to_owned()),
        PathPart::Field("Subject.CommonName".to_owned()),
        PathPart::Text("/".to_owned()),
        PathPart::Field("URISanSelectors.env_1".to_owned()),
    ];
    assert_eq!(template.parts(), expected);
    let path = template.render(|field| Some(format!("<{field}>"))).unwrap();
    assert_eq!(path, "/<PluginName>/a<Subject.CommonName>/<URISanSelectors.env_1>");
    assert_eq!(template.render(|_| None), Err("PluginName".to_owned()));
}

#[test]
fn what_is_more_than_a_field_is_refused() {
    for text in [
        "{{ .PluginName | upper }}",
        "{{ if .PluginName }}",
        "{{- .PluginName -}}",
        "{{ }}",
        "{{ . }}",
        "{{ .A..B }}",
    ] {
        assert!(matches!(parse(text), Err(TemplateError::NotAField(_))), "{text}");
    }
    assert_eq!(parse("/{{ .PluginName"), Err(TemplateError::Unclosed));
    for text in ["{{ .Foo }}", "{{ .URISanSelectors }}", "{{ .URISanSelectors.a.b }}"] {
        assert!(matches!(parse(text), Err(TemplateError::UnknownField { .. })), "{text}");
    }
}
