//! The body of an alert, as the OpenAPI document describes it.

use shared::{Condition, ConditionKind, Make, PriceKind};
use utoipa::openapi::schema::{
    AdditionalProperties, AllOfBuilder, ObjectBuilder, OneOfBuilder, Schema, Type,
};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use super::draft::SECONDS_MAX;

/// The body of `POST` and `PUT`, as the OpenAPI document describes it. It is
/// parsed by hand, field by field, so that every error is reported.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
struct Fields {
    /// The symbol to watch.
    symbol: String,
    /// The price to watch: of the last trade, the best bid, or the best ask.
    #[schema(nullable = false, default = "last")]
    on: Option<PriceKind>,
    /// Whether it stays enabled after it fired; it fires again when its
    /// condition becomes true again.
    #[schema(nullable = false, default = false)]
    repeat: Option<bool>,
    /// The cooldown: it does not fire again for this many seconds after it
    /// fired.
    #[schema(nullable = false, default = 60, minimum = 1, maximum = 86_400)]
    cooldown_s: Option<u32>,
    /// Whether it is enabled.
    #[schema(nullable = false, default = true)]
    enabled: Option<bool>,
    /// A text to show when it fires.
    #[schema(nullable = false, max_length = 200)]
    note: Option<String>,
    /// Ignored, like all read-only fields of an answer.
    #[schema(nullable = false, read_only)]
    id: Option<u64>,
    #[schema(nullable = false, read_only)]
    version: Option<u64>,
    #[schema(nullable = false, read_only)]
    created: Option<i64>,
    #[schema(nullable = false, read_only)]
    fired: Option<u64>,
    #[schema(nullable = false, read_only)]
    last_fired: Option<i64>,
}

/// The pattern of a price.
const PRICE: &str = "^-?(0|[1-9][0-9]{0,13})(\\.[0-9]{1,14})?$";

/// A move, as the OpenAPI document describes it.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
struct MovesFields {
    /// How far, in per cent: from 0.01 to 1000.
    #[schema(
        pattern = "^(0\\.(0[1-9]|[1-9])[0-9]{0,12}|[1-9][0-9]{0,2}(\\.[0-9]{1,14})?|1000(\\.0{1,14})?)$"
    )]
    percent: String,
    /// The length of the window, in seconds.
    #[schema(minimum = 1, maximum = 86_400)]
    window_s: u32,
}

/// The schema of the body: these fields, with exactly one of the conditions.
#[derive(Debug)]
pub(in super::super) struct AlertDraft;

impl PartialSchema for AlertDraft {
    fn schema() -> RefOr<Schema> {
        let one = Condition::KINDS
            .iter()
            .fold(OneOfBuilder::new(), |one, kind| {
                one.item(ObjectBuilder::new().required(kind.name))
            });
        let mut fields = Fields::schema();
        if let RefOr::T(Schema::Object(fields)) = &mut fields {
            for kind in Condition::KINDS {
                let name = kind.name.to_owned();
                fields.properties.insert(name, described(kind));
            }
            let none = AdditionalProperties::FreeForm(false);
            fields.additional_properties = Some(Box::new(none));
        }
        AllOfBuilder::new().item(fields).item(one).into()
    }
}

impl ToSchema for AlertDraft {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Fields::schemas(schemas);
        schemas.push((MovesFields::name().into(), MovesFields::schema()));
    }
}

/// The field of a kind of condition.
fn described(kind: &ConditionKind) -> RefOr<Schema> {
    let field = ObjectBuilder::new().description(Some(kind.about));
    match kind.make {
        Make::Level(_) => field.schema_type(Type::String).pattern(Some(PRICE)).into(),
        Make::Moves(_) => {
            let mut moves = Ref::from_schema_name(MovesFields::name());
            moves.description = kind.about.to_owned();
            moves.into()
        }
        Make::Seconds(_) => field
            .schema_type(Type::Integer)
            .minimum(Some(1))
            .maximum(Some(SECONDS_MAX))
            .into(),
    }
}
