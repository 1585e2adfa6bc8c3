//! What the model does not know yet of the place where it works: the instruction files, the skills, the surroundings, and
//! how user and agent share the work.

use actix_rt::task::spawn_blocking;

use super::context::{Surroundings, WAY_OF_WORKING, way_of_working};
use super::files_of_place::FilesOfPlace;
use super::messages::TurnEvent;
use super::run::{Run, Stop, failure};
use crate::protocol::model::{HistoryItem, Role};
use crate::protocol::turn::CodexErrorInfo;
use crate::skills::Skills;

impl Run {
    /// What the model does not know yet of the place where it works.
    pub(super) async fn place(&mut self) -> Result<Vec<HistoryItem>, Stop> {
        let rules = self.task.rules.clone();
        let read = spawn_blocking(move || FilesOfPlace::read(&rules, &[])).await;
        let files = read.map_err(|_| {
            let words = "the server failed while it read the instruction files of the project";
            Stop::Failed(failure(words, CodexErrorInfo::Other))
        })?;
        Ok(self.unknown_place(&files))
    }

    /// Tells the user what the model will not see of the files.
    pub(super) fn warn_of(&mut self, files: &FilesOfPlace) {
        for reason in &files.called.missing {
            self.reporter.push(TurnEvent::Warning(reason.clone()));
        }
        let shortened = &files.instructions.shortened;
        if !shortened.is_empty() && self.history.is_empty() {
            let names: Vec<_> = shortened.iter().map(|path| path.display().to_string()).collect();
            let limit = self.task.rules.instruction_files.max_bytes;
            self.reporter.push(TurnEvent::Warning(format!(
                "The instruction files of this project are longer than {limit} bytes together \
                 (`project_doc_max_bytes`), so these were shortened or left out: {}.",
                names.join(", ")
            )));
        }
    }

    pub(super) fn unknown_place(&self, files: &FilesOfPlace) -> Vec<HistoryItem> {
        let user = |text: String| HistoryItem::text(Role::User, text);
        let knows_of_skills = self.told_of_skills().is_some();
        let told = files.skills.told(self.task.rules.skills.bounds.list_bytes, knows_of_skills);
        let told = files.instructions.text.clone().into_iter().chain(told).map(user);
        let told = told.chain([self.surroundings()]).chain(self.way_of_working());
        told.filter(|entry| !self.knows(entry)).collect()
    }

    /// What the model was last told of the skills.
    pub(super) fn told_of_skills(&self) -> Option<HistoryItem> {
        self.history.iter().rev().find(|entry| Skills::is_told(&entry.said())).cloned()
    }

    pub(super) fn surroundings(&self) -> HistoryItem {
        let rules = &self.task.rules;
        let zoned = jiff::Timestamp::from_millisecond(self.setup.clock.unix_ms())
            .unwrap_or_default()
            .to_zoned(jiff::tz::TimeZone::system());
        let (date, zone) = (zoned.date().to_string(), zoned.time_zone().iana_name().unwrap_or("UTC").to_owned());
        Surroundings { cwd: &rules.cwd, sandbox: &rules.commands.sandbox, date: &date, time_zone: &zone }.describe()
    }

    pub(super) fn way_of_working(&self) -> Option<HistoryItem> {
        let was_told_before = self.history.iter().any(|entry| entry.said().starts_with(WAY_OF_WORKING));
        way_of_working(self.task.rules.mode, self.task.rules.mode_instructions.as_deref(), was_told_before)
    }

    /// Whether the latest entry of this kind says the same.
    fn knows(&self, entry: &HistoryItem) -> bool {
        let said = entry.said();
        let kind = said.split_whitespace().next().unwrap_or_default();
        let latest = self.history.iter().rev().map(HistoryItem::said).find(|known| known.starts_with(kind));
        latest.is_some_and(|latest| latest == said)
    }
}
