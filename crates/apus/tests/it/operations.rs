//! Requests, made of what the protocols document.
//!
//! Every operation documents an example for each parameter that it needs and for its body; they ask for the simulation of `apus demo`.
//! A [`Case`] is one such request, with the demonstration's name to be replaced by that of another file. Where the form of the answer is a
//! parameter (`format`), there is a case for each form.

use std::collections::BTreeSet;

use apus::{app::App, protocol};
use axum::{
    body::Body,
    http::{Method, Request, header},
};
use serde_json::Value;

/// The file that examples ask for.
pub(crate) const DEMO: &str = "cosmic_web_0002.hdf5";
/// The parameter that names the form of the answer.
const FORMAT: &str = "format";

/// An address with a method, as it is documented.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) method: Method,
    pub(crate) template: String,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Option<BodyDocument>,
    /// Whether it wants credentials.
    pub(crate) is_secured: bool,
    pub(crate) statuses: Vec<u16>,
}

#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) is_in_path: bool,
    pub(crate) is_required: bool,
    pub(crate) example: Option<Value>,
    /// The values that there are, where they are few; else further examples.
    pub(crate) values: Vec<Value>,
}

#[derive(Clone, Debug)]
pub(crate) struct BodyDocument {
    pub(crate) media_type: String,
    /// By their names.
    pub(crate) examples: Vec<(String, Value)>,
    /// The members, with what is documented of each; those of the only member where that is an object itself.
    pub(crate) members: Vec<Parameter>,
    /// The only member, where the others are within it.
    pub(crate) envelope: Option<String>,
}

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) label: String,
    pub(crate) operation: Operation,
    /// Parameters by name, those of the path too.
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) body: Option<Value>,
}

/// Every operation of every protocol, each once.
pub(crate) fn operations(app: &App) -> Vec<Operation> {
    let mut seen = BTreeSet::new();
    let mut operations = Vec::new();
    for protocol in protocol::all(app) {
        let document = serde_json::to_value(&protocol.openapi).unwrap();
        for (template, item) in document["paths"].as_object().unwrap() {
            for (method, described) in item.as_object().unwrap() {
                if seen.insert((method.clone(), template.clone())) {
                    operations.push(Operation::of(&document, template, method, described));
                }
            }
        }
    }
    operations
}

/// The cases of all operations that read a file.
pub(crate) fn file_cases(app: &App) -> Vec<Case> {
    let cases: Vec<Case> = operations(app).iter().flat_map(Operation::cases).filter(Case::reads_file).collect();
    assert!(cases.len() > 30, "{} cases", cases.len());
    cases
}

impl Operation {
    fn of(document: &Value, template: &str, method: &str, described: &Value) -> Self {
        let parameters = described["parameters"].as_array().cloned().unwrap_or_default();
        let content = described["requestBody"]["content"].as_object();
        Self {
            method: method.to_uppercase().parse().unwrap(),
            template: template.to_owned(),
            parameters: parameters.iter().map(|parameter| Parameter::of(document, parameter)).collect(),
            body: content
                .and_then(|content| content.iter().next())
                .map(|(media_type, described)| BodyDocument::of(document, media_type, described)),
            is_secured: described["security"].as_array().is_some_and(|schemes| !schemes.is_empty()),
            statuses: described["responses"]
                .as_object()
                .unwrap()
                .keys()
                .filter_map(|status| status.parse().ok())
                .collect(),
        }
    }

    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.method, self.template)
    }

    /// The requests that its examples make.
    pub(crate) fn cases(&self) -> Vec<Case> {
        let values = |is_wanted: fn(&Parameter) -> bool| -> Vec<(String, String)> {
            let wanted = self.parameters.iter().filter(|parameter| is_wanted(parameter));
            wanted.filter_map(|parameter| Some((parameter.name.clone(), text(parameter.example.as_ref()?)))).collect()
        };
        let (all, needed) = (values(|_| true), values(|parameter| parameter.is_required));
        let mut sets = vec![("", all)];
        if sets[0].1 != needed {
            sets.push((" needed only", needed));
        }
        let mut cases = Vec::new();
        for (set, parameters) in sets {
            let examples = self.body.as_ref().map_or_else(Vec::new, |body| body.examples.clone());
            let bodies: Vec<(String, Option<Value>)> = if examples.is_empty() {
                vec![(String::new(), None)]
            } else {
                examples.into_iter().map(|(name, body)| (format!(" {name}"), Some(body))).collect()
            };
            for (name, body) in bodies {
                let case = Case {
                    label: format!("{}{set}{name}", self.name()).trim_end().to_owned(),
                    operation: self.clone(),
                    parameters: parameters.clone(),
                    body,
                };
                cases.extend(case.in_each_form());
            }
        }
        cases
    }

    /// What is documented of a member of the body, or of a query.
    pub(crate) fn parameter(&self, name: &str) -> Option<&Parameter> {
        let members = self.body.iter().flat_map(|body| &body.members);
        self.parameters
            .iter()
            .filter(|parameter| !parameter.is_in_path)
            .chain(members)
            .find(|parameter| parameter.name == name)
    }
}

impl Parameter {
    fn of(document: &Value, described: &Value) -> Self {
        Self {
            name: described["name"].as_str().unwrap().to_owned(),
            is_in_path: described["in"] == "path",
            is_required: described["required"] == true,
            example: described.get("example").cloned(),
            values: values_of(document, &described["schema"]),
        }
    }
}

impl BodyDocument {
    fn of(document: &Value, media_type: &str, described: &Value) -> Self {
        let named = described["examples"].as_object().into_iter().flatten();
        let mut examples: Vec<(String, Value)> =
            named.map(|(name, example)| (name.clone(), example["value"].clone())).collect();
        examples.extend(described.get("example").map(|example| (String::new(), example.clone())));
        let mut schema = resolve(document, &described["schema"]);
        let mut envelope = None;
        if let Some(properties) = schema["properties"].as_object().filter(|properties| properties.len() == 1) {
            let (name, inner) = properties.iter().next().unwrap();
            envelope = Some(name.clone());
            schema = resolve(document, inner);
        }
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let members = schema["properties"].as_object().into_iter().flatten();
        let members = members.map(|(name, described)| Parameter {
            name: name.clone(),
            is_in_path: false,
            is_required: required.contains(&name.as_str()),
            example: None,
            values: values_of(document, described),
        });
        let mut members: Vec<Parameter> = members.collect();
        for member in &mut members {
            let bodies = examples.iter().map(|(_, body)| envelope.as_ref().map_or(body, |envelope| &body[envelope]));
            for value in bodies.filter_map(|body| body.get(&member.name)) {
                if !member.values.contains(value) {
                    member.values.push(value.clone());
                }
            }
        }
        Self { media_type: media_type.to_owned(), examples, members, envelope }
    }
}

impl Case {
    /// This, in every form that the answer may have; an example of a body that names none is asked for as it is.
    fn in_each_form(self) -> Vec<Self> {
        let values = self.operation.parameter(FORMAT).map_or_else(Vec::new, |parameter| parameter.values.clone());
        let is_fixed = self.body.as_ref().is_some_and(|body| body.get(FORMAT).is_none());
        if values.is_empty() || is_fixed {
            return vec![self];
        }
        values.iter().map(|value| self.clone().with(FORMAT, value).labelled(&text(value))).collect()
    }

    fn labelled(mut self, ending: &str) -> Self {
        self.label = format!("{} {ending}", self.label);
        self
    }

    /// With that value of a parameter or of a member of the body.
    pub(crate) fn with(mut self, name: &str, value: &Value) -> Self {
        let envelope = self.operation.body.as_ref().and_then(|body| body.envelope.clone());
        if let Some(body) = &mut self.body {
            let body = match envelope {
                Some(envelope) => &mut body[envelope],
                None => body,
            };
            body[name] = value.clone();
        } else {
            self.parameters.retain(|(other, _)| other != name);
            self.parameters.push((name.to_owned(), text(value)));
        }
        self
    }

    /// Whether it asks for the demonstration.
    pub(crate) fn reads_file(&self) -> bool {
        self.parameters.iter().any(|(_, value)| value == DEMO)
            || self.body.as_ref().is_some_and(|body| mentions(body, DEMO))
    }

    /// The same for texts of variable length in place of positions.
    pub(crate) fn of_texts(mut self) -> Self {
        let replaced = |text: &str| text.replace("PartType0/Coordinates", "PartType0/Labels");
        self.parameters.iter_mut().for_each(|(_, value)| *value = replaced(value));
        if let Some(body) = &mut self.body {
            replace(body, &replaced);
        }
        self
    }

    /// The request, for that file, by the account of that name.
    pub(crate) fn request(&self, file: &str, account: Option<&str>) -> Request<Body> {
        let replaced = |text: &str| if text == DEMO { file.to_owned() } else { text.to_owned() };
        let mut path = self.operation.template.clone();
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in &self.parameters {
            if self.operation.parameters.iter().any(|parameter| parameter.is_in_path && parameter.name == *name) {
                path = path.replace(&format!("{{{name}}}"), &replaced(value));
            } else {
                query.append_pair(name, &replaced(value));
            }
        }
        let query = query.finish();
        let uri = if query.is_empty() { path } else { format!("{path}?{query}") };
        let mut request = Request::builder().method(self.operation.method.clone()).uri(uri);
        if let Some(account) = account {
            use base64::Engine;
            let credentials = base64::engine::general_purpose::STANDARD.encode(format!("{account}:{account}"));
            request = request.header(header::AUTHORIZATION, format!("Basic {credentials}"));
        }
        let (Some(body), Some(document)) = (&self.body, &self.operation.body) else {
            return request.body(Body::empty()).unwrap();
        };
        let mut body = body.clone();
        replace(&mut body, &replaced);
        let bytes = if document.media_type == "application/x-msgpack" {
            let mut out = Vec::new();
            write_msgpack(&mut out, &body);
            out
        } else {
            serde_json::to_vec(&body).unwrap()
        };
        request.header(header::CONTENT_TYPE, &document.media_type).body(Body::from(bytes)).unwrap()
    }

    /// The request for that file, with credentials where the operation wants some.
    pub(crate) fn ask_for(&self, file: &str) -> Request<Body> {
        self.request(file, self.operation.is_secured.then_some("insider"))
    }
}

/// A value as it stands in a query.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The schema, where it is a reference to one.
fn resolve(document: &Value, schema: &Value) -> Value {
    match schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
        Some(pointer) => resolve(document, document.pointer(pointer).unwrap()),
        None => schema.clone(),
    }
}

/// The values that a schema tells: all that there are, or examples.
fn values_of(document: &Value, schema: &Value) -> Vec<Value> {
    let schema = resolve(document, schema);
    let mut values: Vec<Value> = Vec::new();
    for list in ["enum", "examples"] {
        values.extend(schema[list].as_array().into_iter().flatten().filter(|value| !value.is_null()).cloned());
    }
    values.extend(schema.get("example").cloned());
    for variants in ["oneOf", "anyOf", "allOf"] {
        values
            .extend(schema[variants].as_array().into_iter().flatten().flat_map(|variant| values_of(document, variant)));
    }
    if schema["type"] == "boolean" || schema["type"].as_array().is_some_and(|types| types.contains(&"boolean".into())) {
        values = vec![true.into(), false.into()];
    }
    values
}

fn mentions(value: &Value, wanted: &str) -> bool {
    match value {
        Value::String(text) => text == wanted,
        Value::Array(list) => list.iter().any(|value| mentions(value, wanted)),
        Value::Object(members) => members.values().any(|value| mentions(value, wanted)),
        _ => false,
    }
}

fn replace(value: &mut Value, replaced: &impl Fn(&str) -> String) {
    match value {
        Value::String(text) => *text = replaced(text),
        Value::Array(list) => list.iter_mut().for_each(|value| replace(value, replaced)),
        Value::Object(members) => members.values_mut().for_each(|value| replace(value, replaced)),
        _ => {}
    }
}

fn write_msgpack(out: &mut Vec<u8>, value: &Value) {
    use rmp::encode as e;
    match value {
        Value::Null => e::write_nil(out).unwrap(),
        Value::Bool(flag) => e::write_bool(out, *flag).unwrap(),
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => drop(e::write_uint(out, number).unwrap()),
            (None, Some(number)) => drop(e::write_sint(out, number).unwrap()),
            _ => e::write_f64(out, number.as_f64().unwrap()).unwrap(),
        },
        Value::String(text) => e::write_str(out, text).unwrap(),
        Value::Array(list) => {
            e::write_array_len(out, u32::try_from(list.len()).unwrap()).unwrap();
            list.iter().for_each(|value| write_msgpack(out, value));
        }
        Value::Object(members) => {
            e::write_map_len(out, u32::try_from(members.len()).unwrap()).unwrap();
            for (name, value) in members {
                e::write_str(out, name).unwrap();
                write_msgpack(out, value);
            }
        }
    }
}
