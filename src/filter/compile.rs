//! From what was typed to what is asked of each exchange.

use super::error::FilterError;
use super::fields::{self, Absence};
use super::grammar::{Expression, Operator, Spanned, Test};
use super::value::{self, Network};
use crate::record::path::Path;
use crate::record::visit::Type;
use regex::bytes::Regex;

/// What is asked.
#[derive(Clone, Debug)]
pub(super) enum Condition {
    Any(Vec<Self>),
    All(Vec<Self>),
    Not(Box<Self>),
    Field(Question),
}

/// What is asked of a field.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) path: Path,
    pub(super) absence: Absence,
    pub(super) check: Check,
}

/// What its value, or one of its values, must be.
#[derive(Clone, Debug)]
pub(super) enum Check {
    /// There.
    Present,
    /// One of these.
    In(Vec<Operand>),
    /// None of these.
    NotIn(Vec<Operand>),
    /// In this order with a number, a duration or a time.
    Order(Operator, u64),
    /// Text in which this is found.
    Matches(Regex),
}

/// A value that was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operand {
    Bool(bool),
    /// From the first to the last: a number, a class, a duration or a time.
    Numbers(u64, u64),
    Addresses(Network),
    Text(Box<[u8]>),
}

/// Compiles the expression of a filter.
pub(super) fn compile(text: &str, expression: Expression) -> Result<Condition, FilterError> {
    let list = |list: Vec<Expression>| {
        list.into_iter().map(|inner| compile(text, inner)).collect::<Result<Vec<_>, _>>()
    };
    Ok(match expression {
        Expression::Any(any) => Condition::Any(list(any)?),
        Expression::All(all) => Condition::All(list(all)?),
        Expression::Not(inner) => Condition::Not(Box::new(compile(text, *inner)?)),
        Expression::Test(test) => Condition::Field(question(text, &test)?),
    })
}

fn question(text: &str, test: &Test) -> Result<Question, FilterError> {
    let Spanned { text: name, place } = &test.field;
    let Some((full, path)) = fields::find(name) else {
        let near = fields::near(name);
        let hint = if near.is_empty() { String::new() } else { format!("; near it: {}", near.join(", ")) };
        return Err(FilterError::new(text, place.clone(), format!("there is no field '{name}'{hint}")));
    };
    let field = Field { text, full: &full, of: &path.member().r#type, name: &test.field };
    let check = field.check(test)?;
    Ok(Question { absence: fields::absence(&full), path, check })
}

/// A field that is compared.
struct Field<'a> {
    /// The filter.
    text: &'a str,
    /// The attribute's name.
    full: &'a str,
    of: &'a Type,
    name: &'a Spanned,
}

impl Field<'_> {
    fn check(&self, test: &Test) -> Result<Check, FilterError> {
        let of = match self.of {
            Type::List(inner) => inner,
            other => other,
        };
        let first =
            || test.values.first().ok_or_else(|| self.error(self.name, "a value is missing".to_owned()));
        match (test.operator, of) {
            // Whether it is true, as it is always there.
            (Operator::Present, Type::Bool) => Ok(Check::In(vec![Operand::Bool(true)])),
            (Operator::Present, _) => Ok(Check::Present),
            (_, Type::Object(members)) => {
                let below = fields::below(self.full, members);
                let message = match self.of {
                    Type::List(_) => {
                        format!("'{}' is a list that can only be asked whether it is there", self.full)
                    }
                    _ => format!("'{}' is not one value; it has {below}", self.full),
                };
                Err(self.error(self.name, message))
            }
            (_, Type::Map(_)) => {
                Err(self.error(self.name, format!("'{}' can only be asked whether it is there", self.full)))
            }
            (Operator::Matches, Type::Text | Type::Word(_)) => {
                let typed = first()?;
                let regex = Regex::new(&typed.text).map_err(|error| {
                    let last = error.to_string().lines().last().unwrap_or_default().replace("error: ", "");
                    self.error(typed, format!("no regular expression: {last}"))
                })?;
                Ok(Check::Matches(regex))
            }
            (Operator::Equal | Operator::NotEqual, _) => {
                let operands = test.values.iter().map(|typed| self.operand(of, typed));
                let operands = operands.collect::<Result<_, _>>()?;
                Ok(if test.operator == Operator::Equal {
                    Check::In(operands)
                } else {
                    Check::NotIn(operands)
                })
            }
            (Operator::Matches, _) => {
                Err(self
                    .error(first()?, format!("'~' is for text; '{}' is {}", self.full, fields::called(of))))
            }
            (operator, Type::Integer | Type::Seconds | Type::Time) => match self.operand(of, first()?)? {
                Operand::Numbers(number, last) if number == last => Ok(Check::Order(operator, number)),
                _ => Err(self.error(first()?, "a class has no order: a number is expected".to_owned())),
            },
            _ => Err(self.error(
                first()?,
                format!(
                    "'{}' is {} and has no order: '==', '!=' or 'in' is meant",
                    self.full,
                    fields::called(of)
                ),
            )),
        }
    }

    fn operand(&self, of: &Type, typed: &Spanned) -> Result<Operand, FilterError> {
        let text = typed.text.as_str();
        let number = |number: Option<u64>| number.map(|number| Operand::Numbers(number, number));
        let operand = match of {
            Type::Bool => text.parse().ok().map(Operand::Bool),
            Type::Integer if self.full.ends_with("status_code") => value::class(text)
                .map(|(first, last)| Operand::Numbers(first, last))
                .or(number(value::integer(text))),
            Type::Integer if fields::is_size(self.full) => number(value::size(text)),
            Type::Integer => number(value::integer(text)),
            Type::Seconds => number(value::seconds(text)),
            Type::Time => number(value::time(text)),
            Type::Address => Network::parse(text).map(Operand::Addresses),
            Type::Word(names) if !names.is_empty() && !names.contains(&text) => {
                return Err(self.error(typed, self.no_such_word(names, text)));
            }
            _ => Some(Operand::Text(text.as_bytes().into())),
        };
        let expected = match of {
            Type::Integer if self.full.ends_with("status_code") => "a number or a class, such as 5xx",
            Type::Integer if fields::is_size(self.full) => "a size, such as 64KiB",
            _ => fields::called(of),
        };
        operand.ok_or_else(|| self.error(typed, format!("'{}' is {expected}", self.full)))
    }

    fn no_such_word(&self, names: &[&str], text: &str) -> String {
        let near = fields::nearest(text, names.iter().map(|name| (*name).to_owned()));
        let offered = if near.is_empty() { names.join(", ") } else { near.join(", ") };
        format!("'{}' is never '{text}'; it may be {offered}", self.full)
    }

    fn error(&self, typed: &Spanned, message: String) -> FilterError {
        FilterError::new(self.text, typed.place.clone(), message)
    }
}
