mod actions;
mod break_outs;
mod decide;
mod destructive;
mod grants;
mod harmless;
mod limits;
mod properties;
mod remembered;
mod wrappers;

use super::shell::Script;

fn script(text: &str) -> Script {
    Script::of_text("/bin/bash", text)
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}
