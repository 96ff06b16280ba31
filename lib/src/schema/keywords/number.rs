//! `minimum` and its like: rules of numbers, exact.

use super::super::error::SchemaError;
use super::super::evaluate::Value;
use super::super::json::Json;
use super::super::load::Found;
use super::super::node::Keyword;
use super::super::number::Decimal;
use super::test;
use std::cmp::Ordering;

/// `minimum`.
pub(super) fn minimum(found: &Found<'_, '_>) -> Result<impl Keyword + use<>, SchemaError> {
    bound(found, "at least", "is less", Ordering::is_ge)
}

/// `maximum`.
pub(super) fn maximum(found: &Found<'_, '_>) -> Result<impl Keyword + use<>, SchemaError> {
    bound(found, "at most", "is more", Ordering::is_le)
}

/// `exclusiveMinimum`.
pub(super) fn exclusive_minimum(found: &Found<'_, '_>) -> Result<impl Keyword + use<>, SchemaError> {
    bound(found, "more than", "is not", Ordering::is_gt)
}

/// `exclusiveMaximum`.
pub(super) fn exclusive_maximum(found: &Found<'_, '_>) -> Result<impl Keyword + use<>, SchemaError> {
    bound(found, "less than", "is not", Ordering::is_lt)
}

/// `multipleOf`.
pub(super) fn multiple_of(found: &Found<'_, '_>) -> Result<impl Keyword + use<>, SchemaError> {
    let divisor = number(found)?;
    if divisor.compare(&Decimal::from(0_u64)).is_le() {
        return Err(found.error("is not more than 0"));
    }
    let words = format!("a multiple of {}", divisor.to_text());
    Ok(test(found, words, move |value| match value {
        Value::Number(number) => (!number.is_multiple_of(&divisor)).then(|| "is none".to_owned()),
        _ => None,
    }))
}

fn bound(
    found: &Found<'_, '_>,
    words: &str,
    wrong: &'static str,
    is_right: fn(Ordering) -> bool,
) -> Result<impl Keyword + use<>, SchemaError> {
    let limit = number(found)?;
    Ok(test(found, format!("{words} {}", limit.to_text()), move |value| match value {
        Value::Number(number) => (!is_right(number.compare(&limit))).then(|| wrong.to_owned()),
        _ => None,
    }))
}

fn number(found: &Found<'_, '_>) -> Result<Decimal, SchemaError> {
    if let Json::Number(number) = found.json { Ok(number.duplicate()) } else { Err(found.error("is no number")) }
}
