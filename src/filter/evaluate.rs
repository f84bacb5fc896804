//! What is asked of each exchange.

use super::compile::{Check, Condition, Operand, Question};
use super::fields::Absence;
use super::grammar::Operator;
use crate::record::schema::{Shown, TransactionObject};
use crate::record::visit::{Object, Scalar, Value, Visitor};
use crate::record::{Partial, TransactionView};
use std::borrow::Cow;

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Truth {
    /// It does not match.
    False,
    /// That cannot be known: part of the exchange is missing.
    Unknown,
    /// It matches.
    True,
}

impl Truth {
    const fn of(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }

    const fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
        }
    }
}

/// What is asked of, and what is known of it.
struct Subject<'a> {
    record: TransactionObject<'a>,
    view: &'a TransactionView<'a>,
}

/// Whether an exchange meets a condition.
pub(super) fn evaluate(condition: &Condition, view: &TransactionView<'_>) -> Truth {
    Subject { record: TransactionObject::new(view, Shown::default()), view }.meets(condition)
}

impl Subject<'_> {
    fn meets(&self, condition: &Condition) -> Truth {
        match condition {
            // The least of all, the greatest of any; the rest is not looked at where it could not change that.
            Condition::All(all) => {
                let mut least = Truth::True;
                for inner in all {
                    least = least.min(self.meets(inner));
                    if least == Truth::False {
                        break;
                    }
                }
                least
            }
            Condition::Any(any) => {
                let mut greatest = Truth::False;
                for inner in any {
                    greatest = greatest.max(self.meets(inner));
                    if greatest == Truth::True {
                        break;
                    }
                }
                greatest
            }
            Condition::Not(inner) => self.meets(inner).not(),
            Condition::Field(question) => self.answer(question),
        }
    }

    fn answer(&self, question: &Question) -> Truth {
        let mut answer = Answer { check: &question.check, seen: false, met: false };
        question.path.visit(&self.record, &mut answer);
        if answer.seen {
            return Truth::of(match question.check {
                Check::NotIn(_) => !answer.met,
                _ => answer.met,
            });
        }
        if self.is_known_absent(question.absence) { Truth::False } else { Truth::Unknown }
    }

    fn is_known_absent(&self, absence: Absence) -> bool {
        let transaction = self.view.transaction;
        match absence {
            Absence::Timed => return transaction.time.is_some(),
            Absence::Never => return false,
            _ => {}
        }
        let (partial, is_readable) = (transaction.partial, self.view.unknown.only_time());
        let is_readable = is_readable && !partial.contains(Partial::UNKNOWN_HEADER);
        partial.is_empty()
            || match absence {
                Absence::Always => true,
                Absence::Request => transaction.request.seen && is_readable,
                Absence::Response => transaction.response.seen && is_readable,
                Absence::NothingLost => partial.only_unfinished(),
                Absence::Timed | Absence::Never | Absence::Complete => false,
            }
    }
}

/// Checks the values of a field.
struct Answer<'a> {
    check: &'a Check,
    /// There is a value.
    seen: bool,
    /// One of them is what is asked for; for [`Check::NotIn`], one of those that it must not be.
    met: bool,
}

impl Visitor for Answer<'_> {
    fn scalar(&mut self, value: Scalar<'_>) {
        self.seen = true;
        self.met |= match self.check {
            Check::Present => true,
            Check::In(operands) | Check::NotIn(operands) => operands.iter().any(|operand| is(value, operand)),
            Check::Order(operator, number) => numeric(value).is_some_and(|value| match operator {
                Operator::Less => value < *number,
                Operator::LessOrEqual => value <= *number,
                Operator::Greater => value > *number,
                Operator::GreaterOrEqual => value >= *number,
                _ => false,
            }),
            Check::Matches(regex) => match value {
                Scalar::Text(text) => regex.is_match(&shown(text)),
                Scalar::Word(word) => regex.is_match(word.as_bytes()),
                _ => false,
            },
        };
    }

    fn list<T: Value>(&mut self, elements: impl Iterator<Item = T>) {
        self.seen = true;
        for element in elements {
            element.visit(self);
        }
        self.met |= matches!(self.check, Check::Present);
    }

    fn map<T: Value>(&mut self, _: impl Iterator<Item = (Cow<'static, str>, T)>) {
        self.seen = true;
        self.met = matches!(self.check, Check::Present);
    }

    fn object(&mut self, _: &impl Object) {
        self.seen = true;
        self.met = matches!(self.check, Check::Present);
    }
}

fn numeric(value: Scalar<'_>) -> Option<u64> {
    match value {
        Scalar::Integer(number) | Scalar::Seconds(number) => Some(number),
        Scalar::Time(time) => Some(time.as_nanos()),
        _ => None,
    }
}

fn is(value: Scalar<'_>, operand: &Operand) -> bool {
    match (value, operand) {
        (Scalar::Bool(value), Operand::Bool(operand)) => value == *operand,
        (Scalar::Address(address), Operand::Addresses(network)) => network.contains(address),
        (Scalar::Text(text), Operand::Text(operand)) => *shown(text) == **operand,
        (Scalar::Word(word), Operand::Text(operand)) => word.as_bytes() == &**operand,
        (value, Operand::Numbers(first, last)) => {
            numeric(value).is_some_and(|value| (*first..=*last).contains(&value))
        }
        _ => false,
    }
}

/// Text as the records show it: with U+FFFD for what is no UTF-8.
fn shown(text: &[u8]) -> Cow<'_, [u8]> {
    match String::from_utf8_lossy(text) {
        Cow::Borrowed(_) => Cow::Borrowed(text),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}
