//! The settings that new threads start with.

use std::fs;
use std::sync::Arc;

use super::Home;
use crate::catalog::{AskModelRules, EffectiveSettings, ModelRules, ThreadDefaults, ThreadOverrides};
use crate::command::EnvironmentPolicy;
use crate::protocol::settings::ReasoningSummary;
use crate::protocol::thread::{ActivePermissionProfile, ApprovalsReviewer, AskForApproval, SandboxMode, SandboxPolicy};

const TRUSTED: &str = "[projects.'WORK']\ntrust_level = 'trusted'\n";

impl Home {
    fn thread_in(&mut self, cwd: &str, overrides: ThreadOverrides) -> Result<EffectiveSettings, String> {
        let question = ThreadDefaults { cwd: Some(cwd.to_owned()), overrides };
        self.reader.thread_settings(question).map_err(|error| format!("{} {}", error.code.number(), error.message))
    }

    fn thread(&mut self, overrides: ThreadOverrides) -> Result<EffectiveSettings, String> {
        self.thread_in("", overrides)
    }

    fn rules(&mut self, provider: &str) -> Result<ModelRules, String> {
        let question =
            AskModelRules { cwd: self.expanded("WORK"), model_provider: provider.to_owned(), config: Arc::default() };
        self.reader.model_rules(&question).map_err(|error| error.message)
    }
}

fn choose() -> ThreadOverrides {
    ThreadOverrides::default()
}

fn config(text: &str) -> ThreadOverrides {
    ThreadOverrides { config: toml::from_str(text).unwrap(), ..choose() }
}

fn profile(id: &str) -> Option<ActivePermissionProfile> {
    Some(ActivePermissionProfile { id: id.to_owned(), extends: None })
}

fn workspace_write(roots: &[&str], network_access: bool) -> SandboxPolicy {
    SandboxPolicy::WorkspaceWrite {
        writable_roots: roots.iter().map(|root| (*root).to_owned()).collect(),
        network_access,
        exclude_tmpdir_env_var: false,
        exclude_slash_tmp: false,
    }
}

#[test]
fn an_empty_home_is_careful() {
    let mut home = Home::empty();
    let cwd = home.expanded("WORK");
    let expected = EffectiveSettings {
        model: "gpt-6.2-sol".to_owned(),
        model_provider: "openai".to_owned(),
        reasoning_effort: None,
        model_rules: home.rules("openai").unwrap(),
        service_tier: None,
        approval_policy: AskForApproval::OnRequest,
        approvals_reviewer: ApprovalsReviewer::User,
        sandbox_policy: SandboxPolicy::ReadOnly { network_access: false },
        active_permission_profile: profile(":read-only"),
        environment: EnvironmentPolicy::default(),
        projects: Vec::new(),
        cwd: cwd.clone(),
        runtime_workspace_roots: vec![cwd],
        warnings: Vec::new(),
    };
    assert_eq!(home.thread(choose()), Ok(expected));
}

#[test]
fn trust_decides_where_nobody_chose() {
    let mut home = Home::with(TRUSTED);
    let trusted = home.thread(choose()).unwrap();
    assert_eq!(trusted.sandbox_policy, workspace_write(&[], false));
    assert_eq!(trusted.active_permission_profile, profile(":workspace"));
    assert_eq!(trusted.approval_policy, AskForApproval::OnRequest);
    assert_eq!(home.thread_in("/", choose()).unwrap().active_permission_profile, profile(":read-only"));

    let mut home = Home::with(&TRUSTED.replace("'trusted'", "'untrusted'"));
    let untrusted = home.thread(choose()).unwrap();
    assert_eq!(untrusted.sandbox_policy, workspace_write(&[], false));
    assert_eq!(untrusted.approval_policy, AskForApproval::Untrusted);
}

#[test]
fn the_configuration_counts_and_the_client_counts_more() {
    let mut home = Home::with(
        "model = 'm'\napproval_policy = 'never'\napprovals_reviewer = 'guardian_subagent'\nservice_tier = 'fast'\n\
         model_reasoning_effort = 'high'\nsandbox_mode = 'workspace-write'\n\
         [sandbox_workspace_write]\nnetwork_access = true\nwritable_roots = ['/opt']\n[model_providers.own]\nname = 'Own'",
    );
    let configured = home.thread(choose()).unwrap();
    assert_eq!(configured.model, "m");
    assert_eq!(configured.approval_policy, AskForApproval::Never);
    assert_eq!(configured.approvals_reviewer, ApprovalsReviewer::AutoReview);
    assert_eq!(configured.service_tier.as_deref(), Some("priority"));
    assert_eq!(configured.reasoning_effort.as_deref(), Some("high"));
    assert_eq!(configured.sandbox_policy, workspace_write(&["/opt"], true));
    assert_eq!(configured.active_permission_profile, None);
    assert_eq!(configured.runtime_workspace_roots, [home.expanded("WORK"), "/opt".to_owned()]);

    let chosen = home
        .thread(ThreadOverrides {
            model: Some("c".to_owned()),
            model_provider: Some("own".to_owned()),
            service_tier: Some("flex".to_owned()),
            approval_policy: Some(AskForApproval::OnRequest),
            approvals_reviewer: Some(ApprovalsReviewer::User),
            sandbox: Some(SandboxMode::DangerFullAccess),
            ..config("model = 'less'\nmodel_reasoning_effort = 'low'")
        })
        .unwrap();
    assert_eq!((chosen.model.as_str(), chosen.model_provider.as_str()), ("c", "own"));
    assert_eq!(chosen.service_tier.as_deref(), Some("flex"));
    assert_eq!(chosen.reasoning_effort.as_deref(), Some("low"));
    assert_eq!(
        (chosen.approval_policy, chosen.approvals_reviewer),
        (AskForApproval::OnRequest, ApprovalsReviewer::User)
    );
    assert_eq!(chosen.sandbox_policy, SandboxPolicy::DangerFullAccess);
}

#[test]
fn a_client_sends_settings_with_dotted_keys() {
    let mut home = Home::with("sandbox_mode = 'workspace-write'\n[sandbox_workspace_write]\nnetwork_access = true");
    let sent = home.thread(config("\"sandbox_workspace_write.network_access\" = false\n\"no_such.key\" = 1")).unwrap();
    assert_eq!(sent.sandbox_policy, workspace_write(&[], false));
    assert!(sent.warnings[0].summary.ends_with("\n  session-flags: `no_such` is ignored."));
}

#[test]
fn permissions_are_chosen_by_name() {
    let permissions = |id: &str| ThreadOverrides { permissions: Some(id.to_owned()), ..choose() };
    let mut home =
        Home::with("sandbox_mode = 'danger-full-access'\n[sandbox_workspace_write]\nwritable_roots = ['/opt']");
    let chosen = home.thread(permissions(":workspace")).unwrap();
    assert_eq!(chosen.sandbox_policy, workspace_write(&[], false));
    assert_eq!(chosen.active_permission_profile, profile(":workspace"));
    assert_eq!(chosen.runtime_workspace_roots, [home.expanded("WORK")]);

    let both = ThreadOverrides { sandbox: Some(SandboxMode::ReadOnly), ..permissions(":workspace") };
    assert_eq!(home.thread(both).unwrap_err(), "-32600 `permissions` cannot be combined with `sandbox`");
    let unknown = "-32600 failed to load configuration: default_permissions refers to unknown built-in profile `:nope`";
    assert_eq!(home.thread(permissions(":nope")).unwrap_err(), unknown);

    let mut home = Home::with("default_permissions = ':workspace'");
    assert_eq!(home.thread(choose()).unwrap().active_permission_profile, profile(":workspace"));
}

#[test]
fn what_cannot_be_used_is_refused_in_the_reference_programs_words() {
    let mut home = Home::empty();
    let refused = |text: &str| format!("-32600 failed to load configuration: {text}");
    let provider = |id: &str| ThreadOverrides { model_provider: Some(id.to_owned()), ..choose() };
    assert_eq!(home.thread(provider("nope")).unwrap_err(), refused("Model provider `nope` not found"));
    assert_eq!(home.thread(provider("")).unwrap_err(), refused("Model provider `` not found"));
    let wrong = home.thread(config("model = 3")).unwrap_err();
    assert_eq!(wrong, refused("invalid type: integer `3`, expected a string\nin `model`\n"));
    let no_model = "-32600 No models are available. Set `model` explicitly or check your model catalog configuration.";
    assert_eq!(home.thread(config("model = ''")).unwrap_err(), no_model);
    assert_eq!(home.thread(ThreadOverrides { model: Some(String::new()), ..choose() }).unwrap_err(), no_model);

    let mut home = Home::with("model_provider = 'nope'");
    assert_eq!(home.thread(choose()).unwrap_err(), refused("Model provider `nope` not found"));
    let mut home = Home::with("model = 3\n");
    let place = home.expanded("HOME/config.toml:1:9: invalid type: integer `3`, expected a string");
    assert_eq!(home.thread(choose()).unwrap_err(), refused(&place));
}

#[test]
fn the_working_directory_is_made_absolute() {
    let mut home = Home::empty();
    let mut cwd = |path: &str| home.thread_in(path, choose()).map(|settings| settings.cwd);
    let work = cwd("").unwrap();
    assert_eq!(cwd("/no/such/dir").unwrap(), "/no/such/dir");
    assert_eq!(cwd("a/../b/./c/").unwrap(), format!("{work}/b/c"));
    assert_eq!(cwd("/../..").unwrap(), "/");
    assert_eq!(cwd(&"/a".repeat(3000)).unwrap_err(), "-32600 cwd is longer than 4096 bytes");
}

#[test]
fn a_trusted_project_sets_what_its_threads_start_with() {
    let mut home = Home::with(TRUSTED);
    fs::create_dir(home.path("work/.codex")).unwrap();
    fs::write(home.path("work/.codex/config.toml"), "model = 'project'\nsandbox_mode = 'read-only'").unwrap();
    let inside = home.thread(choose()).unwrap();
    assert_eq!((inside.model.as_str(), inside.active_permission_profile), ("project", None));
    assert_eq!(home.thread_in("/", choose()).unwrap().model, "gpt-6.2-sol");
}

#[test]
fn the_rules_of_a_model_are_those_of_the_configuration() {
    let mut home = Home::with(
        "model_provider = 'echo'\nmodel_reasoning_summary = 'concise'\nmodel_context_window = 9000\n\
         model_auto_compact_token_limit = 8000\nmodel_instructions_file = 'base.md'\ndeveloper_instructions = 'd'\n\
         project_doc_max_bytes = 7\nproject_doc_fallback_filenames = ['F.md']",
    );
    assert!(home.thread(choose()).unwrap_err().contains("base.md"));
    fs::write(home.path("home/base.md"), "be brief").unwrap();
    let thread = home.thread(choose()).unwrap();
    assert_eq!((thread.model.as_str(), thread.model_provider.as_str()), ("echo", "echo"));
    let rules = thread.model_rules;
    assert_eq!(rules.provider.id, "echo");
    assert_eq!(rules.summary, Some(ReasoningSummary::Concise));
    assert_eq!((rules.context_window, rules.compact_from), (Some(9000), Some(8000)));
    assert_eq!(rules.base_instructions.as_deref(), Some("be brief"));
    assert_eq!(rules.developer_instructions.as_deref(), Some("d"));
    assert_eq!((rules.instruction_bytes, rules.instruction_names), (7, vec!["F.md".to_owned()]));
    assert_eq!(rules.root_markers, [".git"]);
    assert_eq!(home.rules("llamacpp").unwrap().provider.default_model(), Some("default"));
    assert_eq!(home.rules("nope").unwrap_err(), "failed to load configuration: Model provider `nope` not found");
}
