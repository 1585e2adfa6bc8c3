//! The built-in list of models.
//!
//! The list is for pickers: a thread may use any other model of its provider. Efforts are limited to the names that
//! existing clients know.

use crate::model::ListedModel;
use crate::protocol::catalog::{InputModality, Model, ReasoningEffortOption};
use crate::protocol::thread::Unset;

/// A row of the list.
struct Entry {
    id: &'static str,
    display_name: &'static str,
    description: &'static str,
    default_effort: &'static str,
    hidden: bool,
}

const fn entry(
    id: &'static str,
    display_name: &'static str,
    default_effort: &'static str,
    description: &'static str,
) -> Entry {
    Entry { id, display_name, description, default_effort, hidden: false }
}

/// The first one is the default.
const MODELS: [Entry; 12] = [
    entry("gpt-6.2-sol", "GPT-6.2-Sol", "low", "For everyday coding; the newest of its line."),
    entry("gpt-6.2-astra", "GPT-6.2-Astra", "low", "For the hardest problems."),
    entry("gpt-6.1-terra", "GPT-6.1-Terra", "low", "Between speed and depth."),
    entry("gpt-6.1-sol", "GPT-6.1-Sol", "low", "The previous model for everyday coding."),
    entry("gpt-6-astra", "GPT-6-Astra", "low", "The previous model for the hardest problems."),
    entry("gpt-6-sol", "GPT-6-Sol", "medium", "An earlier model for everyday coding."),
    entry("gpt-6-luna", "GPT-6-Luna", "medium", "Fast, for small tasks."),
    entry("gpt-5.6-sol", "GPT-5.6-Sol", "low", "An earlier model for everyday coding."),
    entry("gpt-5.6-terra", "GPT-5.6-Terra", "medium", "An earlier model between speed and depth."),
    entry("gpt-5.6-luna", "GPT-5.6-Luna", "medium", "An earlier fast model."),
    entry("gpt-5.5", "GPT-5.5", "medium", "An earlier model for everyday coding."),
    Entry { hidden: true, ..entry("codex-auto-review", "Codex Auto Review", "medium", "Reviews approval requests.") },
];

const EFFORTS: [(&str, &str); 4] = [
    ("low", "Answers quickly"),
    ("medium", "Balances speed and depth"),
    ("high", "Thinks longer about hard problems"),
    ("xhigh", "Thinks longest"),
];

/// The default model.
pub const DEFAULT_MODEL: &str = MODELS[0].id;

/// All models for a picker, including hidden ones on request. The `configured` one is always included.
pub fn models(include_hidden: bool, configured: Option<&str>) -> Vec<Model> {
    let unlisted = configured.filter(|id| !id.is_empty() && MODELS.iter().all(|entry| entry.id != *id));
    let unlisted = unlisted.map(|id| model(id, id, "The model of your configuration.", "medium", false));
    let listed = |hidden: bool| {
        let entries = MODELS.iter().filter(move |entry| entry.hidden == hidden);
        entries.map(|e| model(e.id, e.display_name, e.description, e.default_effort, e.hidden))
    };
    let hidden = listed(true).filter(|_| include_hidden);
    listed(false).chain(unlisted).chain(hidden).collect()
}

/// What a provider says that it has, for a picker. The `configured` model is always among them, and the default.
pub fn listed(models: Vec<ListedModel>, configured: Option<&str>) -> Vec<Model> {
    let configured = configured.filter(|id| !id.is_empty());
    let unlisted = configured.filter(|id| models.iter().all(|model| model.id != *id));
    let unlisted = unlisted.map(|id| ListedModel { id: id.to_owned(), context_window: None, sees_images: None });
    let all: Vec<ListedModel> = models.into_iter().chain(unlisted).collect();
    let default = configured.map(str::to_owned).or_else(|| all.first().map(|model| model.id.clone()));
    let entry = |listed: ListedModel| {
        let description = match listed.context_window {
            Some(tokens) => format!("Takes in {tokens} tokens."),
            None => String::new(),
        };
        let mut entry = model(&listed.id, &listed.id, &description, "medium", false);
        if listed.sees_images == Some(false) {
            entry.input_modalities = vec![InputModality::Text];
        }
        entry.is_default = default.as_ref() == Some(&listed.id);
        entry
    };
    all.into_iter().map(entry).collect()
}

fn model(id: &str, display_name: &str, description: &str, default_effort: &str, hidden: bool) -> Model {
    let effort = |(name, description): (&str, &str)| ReasoningEffortOption {
        reasoning_effort: name.to_owned(),
        description: description.to_owned(),
    };
    Model {
        id: id.to_owned(),
        model: id.to_owned(),
        upgrade: Unset,
        upgrade_info: Unset,
        availability_nux: Unset,
        display_name: display_name.to_owned(),
        description: description.to_owned(),
        model_specialty: Unset,
        hidden,
        supported_reasoning_efforts: EFFORTS.map(effort).into(),
        default_reasoning_effort: default_effort.to_owned(),
        input_modalities: vec![InputModality::Text, InputModality::Image],
        supports_personality: false,
        multi_agent_version: Unset,
        additional_speed_tiers: Vec::new(),
        service_tiers: Vec::new(),
        default_service_tier: Unset,
        available_access_programs: Unset,
        is_default: id == DEFAULT_MODEL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(include_hidden: bool, configured: Option<&str>) -> Vec<String> {
        models(include_hidden, configured).into_iter().map(|model| model.id).collect()
    }

    #[test]
    fn exactly_one_model_is_the_default() {
        let defaults: Vec<_> = models(true, None).into_iter().filter(|model| model.is_default).collect();
        assert_eq!(defaults.len(), 1);
        assert!(!defaults[0].hidden);
    }

    #[test]
    fn every_default_effort_is_supported() {
        for model in models(true, Some("own")) {
            let supported = model.supported_reasoning_efforts.iter().map(|option| &option.reasoning_effort);
            assert!(supported.into_iter().any(|effort| *effort == model.default_reasoning_effort), "{}", model.id);
        }
    }

    #[test]
    fn the_list_of_a_provider_has_one_default() {
        let listed = |ids: &[&str], configured| {
            let model =
                |id: &&str| ListedModel { id: (*id).to_owned(), context_window: None, sees_images: Some(false) };
            let models = super::listed(ids.iter().map(model).collect(), configured);
            models.into_iter().map(|model| (model.id, model.is_default)).collect::<Vec<_>>()
        };
        let yes_no = |ids: [(&str, bool); 2]| ids.map(|(id, is_default)| (id.to_owned(), is_default)).to_vec();
        assert_eq!(listed(&["a", "b"], None), yes_no([("a", true), ("b", false)]));
        assert_eq!(listed(&["a", "b"], Some("b")), yes_no([("a", false), ("b", true)]));
        assert_eq!(listed(&["a"], Some("own")), yes_no([("a", false), ("own", true)]));
        assert_eq!(listed(&[], None), []);
    }

    #[test]
    fn the_configured_model_is_listed_once() {
        assert_eq!(ids(false, Some("gpt-5.5")), ids(false, None));
        assert_eq!(ids(false, Some("")), ids(false, None));
        assert_eq!(ids(false, Some("own")).last().unwrap(), "own");
        assert!(!ids(false, None).contains(&"codex-auto-review".to_owned()));
        assert_eq!(ids(true, Some("own")).len(), ids(false, None).len() + 2);
    }
}
