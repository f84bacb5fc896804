//! Schemas: descriptor sets, `.proto` files with their imports, and what servers told of themselves.

use prost_reflect::prost::Message;
use prost_reflect::prost_types::{FileDescriptorProto, FileDescriptorSet};
use prost_reflect::{DescriptorPool, MessageDescriptor};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What keeps a schema from being used.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// It cannot be read.
    #[error("{0}: {1}")]
    Read(PathBuf, std::io::Error),
    /// It is no descriptor set, or does not compile.
    #[error("{0}: {1}")]
    Invalid(PathBuf, String),
}

/// The messages of a method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    /// What the client sends.
    pub input: MessageDescriptor,
    /// What the server sends.
    pub output: MessageDescriptor,
}

/// Types and services.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    pool: DescriptorPool,
    /// Files whose imports have not come yet, by name.
    waiting: BTreeMap<String, FileDescriptorProto>,
}

impl Schema {
    /// The types of `google.protobuf`.
    #[cfg(any(test, feature = "internals"))]
    pub fn well_known() -> Self {
        Self { pool: DescriptorPool::global(), waiting: BTreeMap::new() }
    }

    /// Reads files: descriptor sets, or `.proto` sources. Imports are looked for beside a source and in the directories
    /// above it.
    pub fn load(paths: &[PathBuf]) -> Result<Self, SchemaError> {
        let mut schema = Self::default();
        for path in paths {
            let set = if path.extension().is_some_and(|extension| extension == "proto") {
                compile(path)?
            } else {
                let bytes = std::fs::read(path).map_err(|error| SchemaError::Read(path.clone(), error))?;
                FileDescriptorSet::decode(bytes.as_slice()).map_err(|error| {
                    SchemaError::Invalid(path.clone(), format!("no descriptor set: {error}"))
                })?
            };
            if let Some(file) = set.file.iter().find(|file| !is_known(file)) {
                let error = format!("{}: syntax {:?} is not known", file.name(), file.syntax());
                return Err(SchemaError::Invalid(path.clone(), error));
            }
            schema.add(set.file);
            if let Some((name, file)) = schema.waiting.iter().next() {
                let missing: Vec<_> = file
                    .dependency
                    .iter()
                    .filter(|name| schema.pool.get_file_by_name(name).is_none())
                    .collect();
                let error = format!("{name}: imports {missing:?}, which do not fit or are not in the set");
                return Err(SchemaError::Invalid(path.clone(), error));
            }
        }
        Ok(schema)
    }

    /// Adds files as far as their imports are there. Others wait for them. Those of a syntax that is not known are not used.
    pub fn add(&mut self, files: Vec<FileDescriptorProto>) {
        for file in files.into_iter().filter(is_known) {
            if self.pool.get_file_by_name(file.name()).is_none() {
                self.waiting.insert(file.name().to_owned(), file);
            }
        }
        // Each turn adds one at least, or is the last.
        loop {
            let ready: Vec<_> = self
                .waiting
                .iter()
                .filter(|(_, file)| self.is_ready(file))
                .map(|(name, _)| name.clone())
                .collect();
            let mut added = false;
            for name in ready {
                if let Some(file) = self.waiting.remove(&name) {
                    self.add_imports(&file);
                    // What contradicts what is known is not used.
                    added |= self.pool.add_file_descriptor_proto(file).is_ok();
                }
            }
            if !added {
                return;
            }
        }
    }

    /// Each import is there, or is one that everybody has.
    fn is_ready(&self, file: &FileDescriptorProto) -> bool {
        let known = |name: &String| {
            self.pool.get_file_by_name(name).is_some()
                || !self.waiting.contains_key(name)
                    && DescriptorPool::global().get_file_by_name(name).is_some()
        };
        file.dependency.iter().all(known)
    }

    fn add_imports(&mut self, file: &FileDescriptorProto) {
        for name in &file.dependency {
            let missing = self.pool.get_file_by_name(name).is_none();
            if let (true, Some(known)) = (missing, DescriptorPool::global().get_file_by_name(name)) {
                let known = known.file_descriptor_proto().clone();
                self.add_imports(&known);
                let _ = self.pool.add_file_descriptor_proto(known);
            }
        }
    }

    /// The method that a `:path` names: `/package.Service/Method`.
    pub fn method(&self, path: &str) -> Option<Method> {
        let path = path.split_once('?').map_or(path, |(path, _)| path);
        // gRPC-Web and Connect are at times served below a prefix.
        let (before, method) = path.rsplit_once('/')?;
        let service = before.rsplit_once('/').map_or(before, |(_, service)| service);
        let service = self.pool.get_service_by_name(service)?;
        let method = service.methods().find(|known| known.name() == method)?;
        Some(Method { input: method.input(), output: method.output() })
    }

    /// A type by its full name.
    pub fn message(&self, name: &str) -> Option<MessageDescriptor> {
        self.pool.get_message_by_name(name)
    }

    /// There is nothing in it.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.pool.files().len() == 0
    }
}

/// Whether the pool can take such a file: on another syntax (editions) it panics.
fn is_known(file: &FileDescriptorProto) -> bool {
    matches!(file.syntax.as_deref(), None | Some("proto2" | "proto3"))
}

/// Compiles a source. Which directory its imports are named from is not known: the nearest one that serves is taken.
fn compile(path: &Path) -> Result<FileDescriptorSet, SchemaError> {
    let full = std::fs::canonicalize(path).map_err(|error| SchemaError::Read(path.to_owned(), error))?;
    let mut first_error = None;
    for root in full.ancestors().skip(1) {
        match protox::compile([&full], [root]) {
            Ok(set) => return Ok(set),
            Err(error) => drop(first_error.get_or_insert(error)),
        }
    }
    let error = first_error.map_or_else(String::new, |error| error.to_string());
    Err(SchemaError::Invalid(path.to_owned(), error))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A schema from a source.
    pub(crate) fn schema(source: &str) -> Schema {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("test.proto");
        std::fs::write(&path, source).unwrap();
        Schema::load(&[path]).unwrap()
    }

    #[test]
    fn sources_are_compiled_with_their_imports() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(directory.path().join("shop/v1")).unwrap();
        let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
        write(
            "shop/v1/money.proto",
            "syntax = \"proto3\"; package shop.v1; message Money { int64 units = 1; }",
        );
        write(
            "shop/v1/shop.proto",
            "syntax = \"proto3\"; package shop.v1; import \"shop/v1/money.proto\"; import \"google/protobuf/timestamp.proto\";
            message Order { Money price = 1; google.protobuf.Timestamp at = 2; }
            service Shop { rpc Get(Money) returns (stream Order); }",
        );
        let schema = Schema::load(&[directory.path().join("shop/v1/shop.proto")]).unwrap();
        let method = schema.method("/shop.v1.Shop/Get").unwrap();
        assert_eq!((method.input.full_name(), method.output.full_name()), ("shop.v1.Money", "shop.v1.Order"));
        assert_eq!(schema.method("/api/shop.v1.Shop/Get?connect=v1"), Some(method));
        for unknown in ["/shop.v1.Shop/Put", "/shop.v1.Cart/Get", "/", "", "Get"] {
            assert_eq!(schema.method(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn what_is_no_schema_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str, text: &str| {
            let path = directory.path().join(name);
            std::fs::write(&path, text).unwrap();
            Schema::load(&[path]).map(|_| ()).unwrap_err().to_string()
        };
        assert!(path("set.binpb", "no set").contains("no descriptor set"));
        assert!(path("a.proto", "syntax = \"proto3\"; message {").contains("a.proto"));
        assert!(path("b.proto", "syntax = \"proto3\"; import \"nowhere.proto\";").contains("nowhere.proto"));
        assert!(Schema::load(&[directory.path().join("missing")]).is_err());
    }

    #[test]
    fn files_may_come_before_their_imports() {
        let file = |name: &str, imports: &[&str]| FileDescriptorProto {
            name: Some(name.to_owned()),
            dependency: imports.iter().map(|name| (*name).to_owned()).collect(),
            ..FileDescriptorProto::default()
        };
        let mut schema = Schema::default();
        schema.add(vec![file("c", &["b", "google/protobuf/any.proto"]), file("b", &["a"])]);
        assert!(schema.is_empty());
        schema.add(vec![file("a", &[])]);
        assert_eq!(schema.pool.files().len(), 4);
    }
}
