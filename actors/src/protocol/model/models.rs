//! Lists of models.

use serde::Deserialize;
use serde_json::Value;

use super::lenient::lenient;

/// A model of a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedModel {
    /// Name at the provider.
    pub id: String,
    /// Context window in tokens, if the provider reports it.
    pub context_window: Option<u64>,
    /// Whether it accepts images, if the provider reports it.
    pub sees_images: Option<bool>,
}

/// `GET {base_url}/models`
#[derive(Deserialize)]
pub struct ModelList {
    data: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    id: String,
    /// vLLM and compatible servers.
    #[serde(default, deserialize_with = "lenient", alias = "context_length", alias = "max_context_length")]
    max_model_len: Option<u64>,
    /// llama.cpp.
    #[serde(default, deserialize_with = "lenient")]
    meta: Option<Meta>,
    /// llama.cpp, OpenRouter.
    #[serde(default, deserialize_with = "lenient")]
    architecture: Option<Architecture>,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(default, deserialize_with = "lenient")]
    n_ctx: Option<u64>,
}

#[derive(Deserialize)]
struct Architecture {
    #[serde(default, deserialize_with = "lenient")]
    input_modalities: Option<Vec<Value>>,
}

impl ModelList {
    /// Parses the answer.
    ///
    /// # Errors
    /// It is not a list of models; the text gives the position.
    pub fn read(body: &[u8]) -> Result<Vec<ListedModel>, String> {
        let list: Self = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        Ok(list.data.into_iter().map(ListedModel::from).collect())
    }
}

impl From<Entry> for ListedModel {
    fn from(entry: Entry) -> Self {
        let Entry { id, max_model_len, meta, architecture } = entry;
        let modalities = architecture.and_then(|it| it.input_modalities);
        Self {
            id,
            context_window: max_model_len.or(meta.and_then(|meta| meta.n_ctx)),
            sees_images: modalities.map(|list| list.iter().any(|modality| modality == "image")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_different_servers_are_read() {
        let llamacpp = br#"{"models":[],"object":"list","data":[{"id":"SmolLM2","architecture":
            {"input_modalities":["text"]},"meta":{"n_ctx":2048,"n_ctx_train":8192}}]}"#;
        let expected = ListedModel { id: "SmolLM2".into(), context_window: Some(2048), sees_images: Some(false) };
        assert_eq!(ModelList::read(llamacpp).unwrap(), [expected]);
        let vllm = br#"{"data":[{"id":"a","max_model_len":32768},{"id":"b","max_model_len":null}]}"#;
        let windows: Vec<_> = ModelList::read(vllm).unwrap().into_iter().map(|model| model.context_window).collect();
        assert_eq!(windows, [Some(32768), None]);
        assert!(ModelList::read(b"<html>").is_err() && ModelList::read(b"{}").is_err());
    }
}
