//! What is typed.
//!
//! ```text
//! expression = all { ("or" | "||") all }
//! all        = one { ("and" | "&&") one }
//! one        = { "not" | "!" } ( "(" expression ")" | test )
//! test       = field [ ("==" | "=" | "!=" | "<" | "<=" | ">" | ">=" | "~") value | "in" "(" value { "," value } ")" ]
//! field      = ("@" | "." | "_" | letter) { letter | digit | "_" | "-" | "." | "@" }
//! value      = '"' … '"' | "'" … "'" | what is neither space, quote, parenthesis nor comma
//! ```
//!
//! Within double quotes `\"` is a quote; no other backslash means anything, so that regular expressions read as they are.

use super::error::FilterError;
use std::ops::Range;
use winnow::Parser;
use winnow::ascii::{Caseless, multispace0};
use winnow::combinator::{
    alt, cut_err, delimited, eof, fail, not, opt, preceded, repeat, separated, terminated,
};
use winnow::error::{ContextError, ErrMode, StrContext, StrContextValue};
use winnow::stream::{LocatingSlice, Stateful};
use winnow::token::{one_of, take_till, take_while};

/// Parentheses in one another.
const DEPTH: usize = 64;

/// What is parsed, and the parentheses that are open.
type Input<'s> = Stateful<LocatingSlice<&'s str>, usize>;
type Parsed<T> = winnow::ModalResult<T>;

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expression {
    Any(Vec<Self>),
    All(Vec<Self>),
    Not(Box<Self>),
    Test(Test),
}

/// A question about one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Test {
    pub(super) field: Spanned,
    pub(super) operator: Operator,
    pub(super) values: Vec<Spanned>,
}

/// Text and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spanned {
    pub(super) text: String,
    pub(super) place: Range<usize>,
}

/// How a field and values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    /// No value: is it there?
    Present,
    /// One of the values.
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    /// The regular expression is found in it.
    Matches,
}

/// Parses a filter.
pub(super) fn parse(text: &str) -> Result<Expression, FilterError> {
    let input = Stateful { input: LocatingSlice::new(text), state: 0 };
    terminated(expression, (multispace0, end)).parse(input).map_err(|error| {
        let at = error.offset();
        let until = text.get(at..).and_then(|rest| rest.chars().next()).map_or(at, |c| at + c.len_utf8());
        FilterError::new(text, at..until, message(error.inner(), text.get(at..).unwrap_or_default()))
    })
}

fn message(error: &ContextError, rest: &str) -> String {
    // The innermost comes first.
    let expected = error.context().find_map(|context| match context {
        StrContext::Expected(StrContextValue::Description(what)) => Some(*what),
        _ => None,
    });
    let expected = expected.unwrap_or("a field, 'not' or '('");
    let hint = if rest.starts_with(['(', ')', ',']) {
        "; what holds parentheses or commas stands in quotes"
    } else {
        ""
    };
    format!("{expected} is expected here{hint}")
}

fn expected(what: &'static str) -> StrContext {
    StrContext::Expected(StrContextValue::Description(what))
}

fn expression(input: &mut Input<'_>) -> Parsed<Expression> {
    let list: Vec<_> =
        separated(1.., all, (multispace0, alt((keyword("or"), "||".void())))).parse_next(input)?;
    Ok(joined(list, Expression::Any))
}

fn all(input: &mut Input<'_>) -> Parsed<Expression> {
    let list: Vec<_> =
        separated(1.., one, (multispace0, alt((keyword("and"), "&&".void())))).parse_next(input)?;
    Ok(joined(list, Expression::All))
}

/// One expression as it is, several as a list.
fn joined(mut list: Vec<Expression>, many: fn(Vec<Expression>) -> Expression) -> Expression {
    match list.pop() {
        Some(only) if list.is_empty() => only,
        last => {
            list.extend(last);
            many(list)
        }
    }
}

fn one(input: &mut Input<'_>) -> Parsed<Expression> {
    let negation = preceded(multispace0, alt((keyword("not"), ('!', not('=')).void())));
    let negations: usize = repeat(0.., negation).parse_next(input)?;
    // What comes after an operator must be there.
    let inner = preceded(multispace0, alt((nested, test.map(Expression::Test), fail)));
    let inner = cut_err(inner.context(expected("a field, 'not' or '('"))).parse_next(input)?;
    Ok(if negations % 2 == 1 { Expression::Not(Box::new(inner)) } else { inner })
}

fn nested(input: &mut Input<'_>) -> Parsed<Expression> {
    let _ = '('.parse_next(input)?;
    input.state += 1;
    if input.state > DEPTH {
        return cut_err(fail.context(expected("an expression with fewer parentheses in one another")))
            .parse_next(input);
    }
    let inner = expression(input)?;
    let close = preceded(multispace0, ')').context(expected("')', 'and' or 'or'"));
    let _ = cut_err(close).parse_next(input)?;
    input.state -= 1;
    Ok(inner)
}

fn test(input: &mut Input<'_>) -> Parsed<Test> {
    let field = spanned(field, input)?;
    let single = preceded(multispace0, operator);
    if let Some(operator) = opt(single).parse_next(input)? {
        let _ = multispace0.parse_next(input)?;
        let value = spanned(cut_err(value.context(expected("a value"))), input)?;
        return Ok(Test { field, operator, values: vec![value] });
    }
    if opt(preceded(multispace0, keyword("in"))).parse_next(input)?.is_some() {
        let list = delimited(
            (multispace0, '(').context(expected("'('")),
            separated(
                1..,
                preceded(multispace0, |input: &mut Input<'_>| spanned(value, input)),
                (multispace0, ','),
            )
            .context(expected("a value")),
            (multispace0, ')').context(expected("',' or ')'")),
        );
        let values = cut_err(list).parse_next(input)?;
        return Ok(Test { field, operator: Operator::Equal, values });
    }
    Ok(Test { field, operator: Operator::Present, values: Vec::new() })
}

fn operator(input: &mut Input<'_>) -> Parsed<Operator> {
    alt((
        "==".value(Operator::Equal),
        "=".value(Operator::Equal),
        "!=".value(Operator::NotEqual),
        "<=".value(Operator::LessOrEqual),
        "<".value(Operator::Less),
        ">=".value(Operator::GreaterOrEqual),
        ">".value(Operator::Greater),
        "~".value(Operator::Matches),
    ))
    .parse_next(input)
}

fn field(input: &mut Input<'_>) -> Parsed<String> {
    let first = one_of(|c: char| c.is_ascii_alphabetic() || "@._".contains(c));
    let name = (first, take_while(0.., is_field)).take();
    name.verify(|name: &str| !["and", "or", "not", "in"].iter().any(|word| name.eq_ignore_ascii_case(word)))
        .map(str::to_owned)
        .parse_next(input)
}

fn is_field(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_-.@".contains(c)
}

fn value(input: &mut Input<'_>) -> Parsed<String> {
    let escaped = repeat(0.., alt((take_till(1.., ['"', '\\']), "\\\"".value("\""), "\\"))).fold(
        String::new,
        |mut text, piece: &str| {
            text.push_str(piece);
            text
        },
    );
    let single = take_till(0.., '\'').map(str::to_owned);
    let bare = take_while(1.., |c: char| !c.is_whitespace() && !"\"'(),".contains(c)).map(str::to_owned);
    let closing = |quote| cut_err(quote).context(expected("the quote that ends the value"));
    alt((delimited('"', escaped, closing('"')), delimited('\'', single, closing('\'')), bare))
        .parse_next(input)
}

/// A word that is no field's beginning.
fn keyword<'s>(word: &'static str) -> impl Parser<Input<'s>, (), ErrMode<ContextError>> {
    (Caseless(word), not(one_of(is_field))).void()
}

fn spanned<'s>(
    mut inner: impl Parser<Input<'s>, String, ErrMode<ContextError>>,
    input: &mut Input<'s>,
) -> Parsed<Spanned> {
    let (text, place) = inner.by_ref().with_span().parse_next(input)?;
    Ok(Spanned { text, place })
}

fn end(input: &mut Input<'_>) -> Parsed<()> {
    cut_err(eof.context(expected("'and', 'or' or the end"))).void().parse_next(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With all parentheses.
    fn shown(expression: &Expression) -> String {
        let list = |list: &[Expression], word: &str| {
            format!("({})", list.iter().map(shown).collect::<Vec<_>>().join(word))
        };
        match expression {
            Expression::Any(any) => list(any, " or "),
            Expression::All(all) => list(all, " and "),
            Expression::Not(inner) => format!("not {}", shown(inner)),
            Expression::Test(test) => {
                let values: Vec<_> = test.values.iter().map(|value| value.text.as_str()).collect();
                format!("{} {:?} {}", test.field.text, test.operator, values.join(",")).trim().to_owned()
            }
        }
    }

    fn parsed(text: &str) -> String {
        shown(&parse(text).unwrap_or_else(|error| panic!("{error}")))
    }

    #[test]
    fn and_binds_closer_than_or_and_not_closest() {
        let expected = "(a Present or (not b Equal 1 and c Less 2) or d Present)";
        for text in [
            "a or not b==1 and c<2 or d",
            " a or(not b = 1 && c < 2)||d ",
            "a OR NOT NOT NOT b==1 AND c <2 or d",
        ] {
            assert_eq!(parsed(text), expected, "{text}");
        }
        assert_eq!(parsed("(a or b) and c"), "((a Present or b Present) and c Present)");
        assert_eq!(parsed("!a"), "not a Present");
    }

    #[test]
    fn values_are_bare_or_in_quotes() {
        assert_eq!(parsed(r#"path ~ "^/a(b|\d+)\"$""#), r#"path Matches ^/a(b|\d+)"$"#);
        assert_eq!(parsed("path == '/a b\"'"), "path Equal /a b\"");
        assert_eq!(parsed("client in (10.0.0.0/8,::1 , 1.2.3.4)"), "client Equal 10.0.0.0/8,::1,1.2.3.4");
        assert_eq!(
            parsed("duration>=200ms and status==5xx"),
            "(duration GreaterOrEqual 200ms and status Equal 5xx)"
        );
        assert_eq!(
            parsed("orders and notes and inner"),
            "(orders Present and notes Present and inner Present)"
        );
        assert_eq!(parsed("@timestamp>2026-11-22T04:17:00Z"), "@timestamp Greater 2026-11-22T04:17:00Z");
    }

    #[test]
    fn errors_say_what_is_expected_and_where() {
        for (text, at, what) in [
            ("", 0, "a field"),
            ("status ==", 9, "a value"),
            ("status == 200 200", 14, "'and', 'or' or the end"),
            ("status == 200 and", 17, "a field"),
            ("status == 200 or or", 17, "a field"),
            ("not", 3, "a field"),
            ("(status == 200", 14, "')'"),
            ("status in 200", 10, "'('"),
            ("status in (200", 14, "',' or ')'"),
            ("status in ()", 11, "a value"),
            ("path == 'x", 10, "the quote"),
            ("path == \"x", 10, "the quote"),
            ("== 200", 0, "a field"),
            ("path ~ ^/(a|b)$", 9, "'and', 'or' or the end is expected here; what holds parentheses"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.message().contains(what), "{text}: {error}");
            assert_eq!(error.place().start, at, "{text}: {error}");
        }
    }

    #[test]
    fn nesting_has_its_bounds() {
        let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
        assert!(parse(&nested(DEPTH)).is_ok());
        assert!(parse(&nested(DEPTH + 1)).unwrap_err().message().contains("fewer parentheses"));
        assert!(parse(&nested(100_000)).is_err());
        assert!(parse(&("not ".repeat(100_001) + "a")).is_ok());
        assert!(parse(&vec!["(a)"; 1000].join(" and ")).is_ok());
    }
}
