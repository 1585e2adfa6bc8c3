//! The enrollment, stored in the database, and the server token, kept in memory (spec: remote control 10.2).

use super::failure::{Failure, Kind};
use super::session::{Destination, Session, is_permission};
use crate::account::Recovery;
use crate::clock::Clock;
use crate::protocol::Secret;
use crate::protocol::remote::http::ServerTokenResponse;
use crate::store::messages::{LoadEnrollment, SaveEnrollment, SetRemoteControlEnabled};
use crate::store::{EnrollmentKey, EnrollmentRecord, ask};
use crate::times::{self, Rest};

/// The enrollment state of a session.
#[derive(Default)]
pub struct EnrollmentState {
    enrollment: Option<Enrollment>,
    token: Option<ServerToken>,
    /// No refresh before this time, because the last one failed.
    refresh_rest: Rest,
}

/// The enrollment of this host at a backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrollment {
    pub key: EnrollmentKey,
    pub server_id: String,
    pub environment_id: String,
}

struct ServerToken {
    secret: Secret,
    /// On the steady clock, because the wall clock may be set.
    expires_at_ms: i64,
}

/// Whether the server token must be refreshed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    /// There is none, or it has expired.
    Required,
    /// It expires soon.
    Soon,
    No,
}

impl EnrollmentState {
    /// The enrollment, if it is the one for `key`.
    pub fn enrollment(&self, key: &EnrollmentKey) -> Option<&Enrollment> {
        self.enrollment.as_ref().filter(|it| it.key == *key)
    }

    /// The server token.
    pub fn token(&self) -> Option<&Secret> {
        self.token.as_ref().map(|token| &token.secret)
    }

    /// Drops the token, because the backend rejects it.
    pub fn drop_token(&mut self) {
        self.token = None;
    }

    fn due(&self, now_ms: i64, ahead_ms: i64) -> Due {
        match &self.token {
            Some(token) if token.expires_at_ms - now_ms > ahead_ms => Due::No,
            Some(token) if token.expires_at_ms > now_ms => Due::Soon,
            _ => Due::Required,
        }
    }
}

impl Session {
    /// Loads the enrollment of this destination from the database.
    pub async fn load(&self, key: &EnrollmentKey) -> Result<Option<EnrollmentRecord>, Failure> {
        ask(&self.tools.store, LoadEnrollment { key: key.clone() }).await.map_err(Failure::of_store)
    }

    /// Stores whether a client wants remote control enabled. Returns false if there is no enrollment to store it with.
    pub async fn remember(&self, key: EnrollmentKey, enabled: bool) -> Result<bool, Failure> {
        let at_seconds = self.tools.clock.unix_ms() / 1000;
        ask(&self.tools.store, SetRemoteControlEnabled { key, enabled, at_seconds }).await.map_err(Failure::of_store)
    }

    /// Ensures that there is an enrollment: the one in memory, the one in the database, or a new one.
    pub async fn enrolled(
        &self,
        held: &mut EnrollmentState,
        to: &Destination,
        recovery: &Recovery,
    ) -> Result<Enrollment, Failure> {
        if let Some(enrollment) = held.enrollment(&to.key) {
            return Ok(enrollment.clone());
        }
        *held = EnrollmentState::default();
        let Some(row) = self.load(&to.key).await? else { return self.enroll(held, to, recovery).await };
        let EnrollmentRecord { server_id, environment_id, .. } = row;
        let enrollment = Enrollment { key: to.key.clone(), server_id, environment_id };
        held.enrollment = Some(enrollment.clone());
        Ok(enrollment)
    }

    /// Enrolls again. The new enrollment is used when it is on disk.
    pub async fn enroll(
        &self,
        held: &mut EnrollmentState,
        to: &Destination,
        recovery: &Recovery,
    ) -> Result<Enrollment, Failure> {
        *held = EnrollmentState::default();
        self.check_deferral()?;
        let backend = &self.tools.backend;
        let asked = self.with_recovery(recovery, is_permission, async |me| backend.enroll(&to.url, &me).await).await;
        let answer = asked.inspect_err(|failure| self.heed(failure))?;
        let token = server_token(&answer, to.url.enroll().as_str(), &self.tools.clock)?;
        self.check_account(&to.account.id)?;
        let ServerTokenResponse { server_id, environment_id, .. } = answer;
        let row = SaveEnrollment {
            key: to.key.clone(),
            server_id: server_id.clone(),
            environment_id: environment_id.clone(),
            server_name: self.tools.server_name.clone(),
            at_seconds: self.tools.clock.unix_ms() / 1000,
        };
        ask(&self.tools.store, row).await.map_err(Failure::of_store)?;
        let enrollment = Enrollment { key: to.key.clone(), server_id, environment_id };
        *held =
            EnrollmentState { enrollment: Some(enrollment.clone()), token: Some(token), refresh_rest: Rest::default() };
        Ok(enrollment)
    }

    /// Refreshes the server token if it is due; if the backend has forgotten this host, enrolls again. Returns the
    /// resulting enrollment.
    pub async fn refreshed(
        &self,
        held: &mut EnrollmentState,
        to: &Destination,
        enrollment: Enrollment,
        recovery: &Recovery,
    ) -> Result<Enrollment, Failure> {
        let tools = &self.tools;
        let now = tools.clock.unix_ms();
        let due = held.due(
            tools.clock.steady_ms(),
            i64::try_from(tools.settings.refresh_ahead_milliseconds.0).unwrap_or(i64::MAX),
        );
        match due {
            Due::No => return Ok(enrollment),
            Due::Soon if held.refresh_rest.lasts(now) => return Ok(enrollment),
            Due::Required if held.refresh_rest.lasts(now) => {
                return Err(Failure::deferred(held.refresh_rest.until_ms));
            }
            Due::Soon | Due::Required => self.check_deferral()?,
        }
        let (backend, server_id) = (&tools.backend, &enrollment.server_id);
        let ask = async |me| backend.refresh(&to.url, &me, server_id).await;
        match self.with_recovery(recovery, is_permission, ask).await {
            Ok(answer) => {
                check_same(&answer, &enrollment)?;
                held.token = Some(server_token(&answer, to.url.refresh().as_str(), &tools.clock)?);
                Ok(enrollment)
            }
            Err(failure) if failure.kind == Kind::NotFound => self.enroll(held, to, recovery).await,
            Err(failure) if failure.kind == Kind::Permission => {
                if recovery.is_exhausted() {
                    held.drop_token();
                }
                Err(failure)
            }
            Err(failure) if failure.transient => {
                self.heed(&failure);
                let until_ms = failure.retry_at_ms.unwrap_or_else(|| now.saturating_add(self.refresh_rest()));
                held.refresh_rest = Rest { since_ms: now, until_ms };
                if due == Due::Soon && failure.retry_at_ms.is_none() {
                    log::warn!("the server token could not be refreshed and is used for a while longer: {failure}");
                    return Ok(enrollment);
                }
                Err(failure)
            }
            Err(failure) => Err(failure),
        }
    }

    fn refresh_rest(&self) -> i64 {
        let settings = &self.tools.settings;
        let (least, most) = (settings.refresh_rest_least_milliseconds.0, settings.refresh_rest_most_milliseconds.0);
        (least as f64 + most.saturating_sub(least) as f64 * (self.tools.random)()) as i64
    }
}

fn server_token(answer: &ServerTokenResponse, url: &str, clock: &Clock) -> Result<ServerToken, Failure> {
    let expires_at_ms = times::parse(&answer.expires_at)
        .map_err(|e| Failure::other(format!("failed to parse remote control server token expiry from `{url}`: {e}")))?;
    Ok(ServerToken { secret: answer.remote_control_token.clone(), expires_at_ms: clock.steady_at(expires_at_ms) })
}

fn check_same(answer: &ServerTokenResponse, mine: &Enrollment) -> Result<(), Failure> {
    if (&answer.server_id, &answer.environment_id) == (&mine.server_id, &mine.environment_id) {
        return Ok(());
    }
    Err(mismatch("refresh", mine, &answer.server_id, &answer.environment_id))
}

/// The answer is about another host.
pub fn mismatch(what: &str, mine: &Enrollment, server_id: &str, environment_id: &str) -> Failure {
    Failure::other(format!(
        "remote control server {what} returned mismatched enrollment: expected server_id={}, environment_id={}; got \
         server_id={server_id}, environment_id={environment_id}",
        mine.server_id, mine.environment_id
    ))
}
