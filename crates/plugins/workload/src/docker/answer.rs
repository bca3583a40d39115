//! What an engine answers.

use std::collections::HashMap;

use serde::Deserialize;

/// A container, as far as its selectors go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// Its full id.
    pub id: String,
    /// Its first process, if it runs.
    pub pid: Option<i32>,
    /// What its image was called when it was made.
    pub image_name: String,
    /// The id of its image, or whatever the engine has in that place.
    image: String,
    labels: HashMap<String, String>,
    env: Vec<String>,
}

/// Why an answer is of no use.
#[derive(Debug, thiserror::Error)]
#[error("the engine's answer cannot be used: {0}")]
pub struct AnswerError(#[from] serde_json::Error);

#[derive(Deserialize)]
struct Raw {
    #[serde(rename = "Id")]
    id: String,
    #[serde(rename = "Image", default)]
    image: Option<String>,
    #[serde(rename = "State", default)]
    state: Option<State>,
    #[serde(rename = "Config", default)]
    config: Option<Config>,
}

#[derive(Deserialize)]
struct State {
    #[serde(rename = "Pid", default)]
    pid: i32,
}

#[derive(Deserialize, Default)]
struct Config {
    #[serde(rename = "Image", default)]
    image: Option<String>,
    #[serde(rename = "Labels", default)]
    labels: Option<HashMap<String, String>>,
    #[serde(rename = "Env", default)]
    env: Option<Vec<String>>,
}

impl Container {
    /// From the answer to `GET /containers/<id>/json`.
    pub fn parse(text: &[u8]) -> Result<Self, AnswerError> {
        let raw: Raw = serde_json::from_slice(text)?;
        let config = raw.config.unwrap_or_default();
        Ok(Self {
            id: raw.id,
            pid: raw.state.map(|state| state.pid).filter(|pid| *pid > 0),
            image_name: config.image.unwrap_or_default(),
            image: raw.image.unwrap_or_default(),
            labels: config.labels.unwrap_or_default(),
            env: config.env.unwrap_or_default(),
        })
    }

    /// The id of the image that the container was made of. (SPIRE 1.16 looks up what the image's name means now, which is
    /// another image once the name was given to one.)
    pub(super) fn image_id(&self) -> Option<&str> {
        self.image.starts_with("sha256:").then_some(&self.image)
    }

    /// The values of selectors, but for the image's digest.
    pub(super) fn values(&self) -> impl Iterator<Item = String> {
        let labels = self.labels.iter().map(|(key, value)| format!("label:{key}:{value}"));
        let env = self.env.iter().map(|one| format!("env:{one}"));
        let image = (!self.image_name.is_empty()).then(|| format!("image_id:{}", self.image_name));
        labels.chain(env).chain(image)
    }
}

/// The id in the answer to `GET /images/<name>/json`.
pub(super) fn image_id(text: &[u8]) -> Result<String, AnswerError> {
    #[derive(Deserialize)]
    struct Image {
        #[serde(rename = "Id")]
        id: String,
    }
    Ok(serde_json::from_slice::<Image>(text)?.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_docker_says_of_a_container_becomes_selectors() {
        let container = Container::parse(
            br#"{"Id":"abc","State":{"Status":"running","Pid":42},"Image":"sha256:11","Config":{"Image":"web:1",
                "Labels":{"app":"demo","with:colon":"x:y"},"Env":["PATH=/bin","EMPTY="]}}"#,
        )
        .unwrap();
        let mut values: Vec<String> = container.values().collect();
        values.sort();
        assert_eq!(
            values,
            ["env:EMPTY=", "env:PATH=/bin", "image_id:web:1", "label:app:demo", "label:with:colon:x:y"]
        );
        assert_eq!((container.pid, container.image_id()), (Some(42), Some("sha256:11")));
    }

    #[test]
    fn what_is_missing_is_missing() {
        let container =
            Container::parse(br#"{"Id":"abc","Config":{"Labels":null},"State":{"Pid":0},"Image":"web"}"#)
                .unwrap();
        assert_eq!((container.values().count(), container.pid, container.image_id()), (0, None, None));
        assert!(Container::parse(b"{}").is_err());
        assert!(Container::parse(b"<html>").is_err());
        assert_eq!(image_id(br#"{"Id":"sha256:2"}"#).unwrap(), "sha256:2");
    }
}
