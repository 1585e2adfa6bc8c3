//! Several questions as one: they take one place in the mailbox, and nothing happens in the database between them.

use diesel::QueryResult;
use diesel::sqlite::SqliteConnection;

use super::Question;

/// Both are answered, or neither.
impl<A: Question, B: Question> Question for (A, B) {
    type Answer = (A::Answer, B::Answer);
    const WRITES: bool = A::WRITES || B::WRITES;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<Self::Answer> {
        Ok((self.0.run(db)?, self.1.run(db)?))
    }
}

/// Three or more are pairs of pairs, which these make readable.
impl<A: Question, B: Question, C: Question> Question for (A, B, C) {
    type Answer = (A::Answer, B::Answer, C::Answer);
    const WRITES: bool = A::WRITES || B::WRITES || C::WRITES;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<Self::Answer> {
        Ok((self.0.run(db)?, self.1.run(db)?, self.2.run(db)?))
    }
}

/// A question that is asked only sometimes.
impl<Q: Question> Question for Option<Q> {
    type Answer = Option<Q::Answer>;
    const WRITES: bool = Q::WRITES;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<Self::Answer> {
        self.map(|question| question.run(db)).transpose()
    }
}
