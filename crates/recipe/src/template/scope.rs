//! Which variables are known, and what they stand for.

use std::collections::HashMap;
use std::sync::Arc;

use super::ast::Sequence;

#[derive(Clone, Debug)]
pub(super) enum Binding {
    /// Read anew at every use: in the scope of the use, or in the scope where a parameter was written.
    Later(Sequence, Option<Arc<Scope>>),
    /// Chosen once for each prompt: the slot, and how long its text can be.
    Slot(usize, u64),
    Now(Arc<str>),
}

#[derive(Debug)]
pub(super) struct Scope {
    pub(super) id: usize,
    names: HashMap<String, Binding>,
    around: Option<Arc<Scope>>,
}

impl Scope {
    pub(super) fn root() -> Arc<Self> {
        Arc::new(Self { id: 0, names: HashMap::new(), around: None })
    }

    pub(super) fn inside(around: &Arc<Self>, id: usize) -> Self {
        Self { id, names: HashMap::new(), around: Some(around.clone()) }
    }

    pub(super) fn with(self: &Arc<Self>, id: usize, name: &str, binding: Binding) -> Self {
        let mut scope = Self::inside(self, id);
        scope.bind(name, binding);
        scope
    }

    pub(super) fn bind(&mut self, name: &str, binding: Binding) {
        self.names.insert(name.to_owned(), binding);
    }

    pub(super) fn get(&self, name: &str) -> Option<Binding> {
        let mut scope = Some(self);
        while let Some(it) = scope {
            if let Some(binding) = it.names.get(name) {
                return Some(binding.clone());
            }
            scope = it.around.as_deref();
        }
        None
    }
}
