//! A `where` clause that grows, with values that are always bound.

use sqlx::{Any, AssertSqlSafe, any::AnyArguments, query::Query};

/// Conditions joined by `and`. Only `&'static str` ever becomes SQL; what people type is bound.
#[derive(Debug, Default)]
pub struct Filter {
    conditions: String,
    values: Vec<Value>,
}

#[derive(Debug)]
enum Value {
    Int(i64),
    Text(String),
}

impl Filter {
    /// Adds a condition. Each `?` in it takes the value that is bound next.
    #[must_use]
    pub fn and(mut self, condition: &'static str) -> Self {
        self.conditions.push_str(if self.conditions.is_empty() { " where " } else { " and " });
        self.push(condition);
        self
    }

    /// Adds `column in (…)`; an empty list adds nothing.
    #[must_use]
    pub fn any_of<T: Into<String>>(mut self, column: &'static str, values: impl IntoIterator<Item = T>) -> Self {
        let values: Vec<_> = values.into_iter().map(|v| Value::Text(v.into())).collect();
        if values.is_empty() {
            return self;
        }
        self = self.and(column);
        self.conditions.push_str(" in (");
        for at in 0..values.len() {
            self.push(if at == 0 { "?" } else { ", ?" });
        }
        self.conditions.push(')');
        self.values.extend(values);
        self
    }

    /// Binds a number.
    #[must_use]
    pub fn int(mut self, value: i64) -> Self {
        self.values.push(Value::Int(value));
        self
    }

    /// Binds a text.
    #[must_use]
    pub fn text(mut self, value: impl Into<String>) -> Self {
        self.values.push(Value::Text(value.into()));
        self
    }

    fn push(&mut self, sql: &'static str) {
        let mut next = self.conditions.matches('$').count();
        for piece in sql.split_inclusive('?') {
            match piece.strip_suffix('?') {
                Some(before) => {
                    next += 1;
                    self.conditions.push_str(before);
                    self.conditions.push('$');
                    self.conditions.push_str(&next.to_string());
                }
                None => self.conditions.push_str(piece),
            }
        }
    }

    /// The whole query: `head`, the conditions, `tail` (which may go on with `?`).
    pub fn query(mut self, head: &'static str, tail: &'static str) -> Query<'static, Any, AnyArguments> {
        self.push(tail);
        let mut query = sqlx::query(AssertSqlSafe(format!("{head}{}", self.conditions)));
        for value in self.values {
            query = match value {
                Value::Int(value) => query.bind(value),
                Value::Text(value) => query.bind(value),
            };
        }
        query
    }
}

#[cfg(test)]
mod tests {
    use sqlx::Execute as _;

    use super::*;

    #[test]
    fn values_are_numbered_in_order() {
        let query = Filter::default()
            .and("state = ?")
            .text("x' or 1=1 --")
            .and("(at < ? or (at = ? and id < ?))")
            .int(1)
            .int(1)
            .text("b")
            .any_of("kind", ["a", "b"])
            .any_of("nothing", Vec::<String>::new())
            .query("select * from events", " order by at desc limit ?");
        let expect = "select * from events where state = $1 and (at < $2 or (at = $3 and id < $4)) \
                      and kind in ($5, $6) order by at desc limit $7";
        assert_eq!(query.sql().as_str(), expect);
    }
}
