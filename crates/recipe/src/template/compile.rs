//! Fills a template's wildcards and variables in.

use std::collections::HashMap;
use std::sync::Arc;

use super::ast::{Assign, Bounds, Method, Piece, Sequence, Use, Variants, Wildcard, literal};
use super::error::{ExpandError, Problem};
use super::lists::Lists;
use super::node::{Node, NodeRef};
use super::scope::{Binding, Scope};
use super::{Config, MAX_DEPTH, MAX_NAMES, MAX_NODES, MAX_TEXT};
use crate::prompt::Span;

/// What the nodes are made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Purpose {
    /// To go through with this method where nothing else is said.
    Run(Method),
    /// To count and find all values, those that a run would draw too.
    Everything,
    /// To draw, even where a run would go through everything.
    Lots,
}

/// What holds for a piece because of what is around it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Around {
    method: Method,
    /// Nothing around it is drawn or taken in turn, so that it can be gone through.
    whole: bool,
    purpose: Purpose,
}

impl Around {
    fn effective(self, asked: Option<Method>) -> Method {
        let method = asked.unwrap_or(self.method);
        match (self.purpose, method) {
            (Purpose::Everything, Method::Random) => Method::Combinatorial,
            (Purpose::Lots, Method::Combinatorial) => Method::Random,
            // Inside what is drawn, nothing can be gone through.
            (Purpose::Run(_), Method::Combinatorial) if !self.whole => self.method,
            _ => method,
        }
    }

    fn inside(self, method: Method) -> Self {
        Self { method, whole: self.whole && method == Method::Combinatorial, ..self }
    }
}

pub(super) enum Stop {
    Error(Box<ExpandError>),
    /// A wildcard's name depends on a variable that was chosen once.
    NeedsText(usize),
}

type Compiled<T = NodeRef> = Result<T, Stop>;

/// What a node was made from. The template and the lists outlive the compiler's memory, so addresses tell them apart.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    what: usize,
    method: Option<Method>,
    scope: usize,
    around: Around,
    in_name: bool,
}

pub(super) struct Compiler<'a> {
    pub(super) config: &'a Config,
    pub(super) lists: Lists<'a>,
    memo: HashMap<Key, NodeRef>,
    nodes: usize,
    depth: usize,
    slots: usize,
    scopes: usize,
    /// Wildcards and variables' values that are being filled in.
    wildcards: Vec<String>,
    values: Vec<usize>,
    in_name: bool,
    place: Span,
    /// Whether `!` asks for combinations somewhere.
    pub(super) asks_for_all: bool,
}

impl<'a> Compiler<'a> {
    pub(super) fn new(config: &'a Config, lists: Lists<'a>) -> Self {
        Self {
            config,
            lists,
            memo: HashMap::new(),
            nodes: 0,
            depth: 0,
            slots: 0,
            scopes: 0,
            wildcards: Vec::new(),
            values: Vec::new(),
            in_name: false,
            place: Span::default(),
            asks_for_all: false,
        }
    }

    pub(super) fn root(&mut self, root: &Sequence, purpose: Purpose) -> Result<NodeRef, ExpandError> {
        let method = match purpose {
            Purpose::Run(method) => method,
            Purpose::Everything => Method::Combinatorial,
            Purpose::Lots => Method::Random,
        };
        let around = Around { method, whole: true, purpose };
        let node = match self.sequence(root, &Scope::root(), around) {
            Ok(node) => node,
            Err(Stop::Error(error)) => return Err(*error),
            // Every slot is bound by a sequence, and it takes care of what needs its text.
            Err(Stop::NeedsText(_)) => return Err(self.error(Problem::TooManyNames { most: MAX_NAMES })),
        };
        if node.longest > MAX_TEXT {
            return Err(self.error(Problem::TooLong { most: MAX_TEXT }));
        }
        Ok(node)
    }

    fn error(&self, problem: Problem) -> ExpandError {
        let wildcards = match problem {
            Problem::WildcardCycle { .. } => Vec::new(),
            _ => self.wildcards.clone(),
        };
        ExpandError { span: self.place, problem, wildcards }
    }

    fn stop<T>(&self, problem: Problem) -> Compiled<T> {
        Err(Stop::Error(Box::new(self.error(problem))))
    }

    /// Counts a node; there is a most.
    fn made(&mut self, node: NodeRef) -> Compiled {
        self.nodes += 1;
        if self.nodes > MAX_NODES { self.stop(Problem::TooLarge { most: MAX_NODES }) } else { Ok(node) }
    }

    fn deeper<T>(&mut self, inside: impl FnOnce(&mut Self) -> Compiled<T>) -> Compiled<T> {
        if self.depth >= MAX_DEPTH {
            return self.stop(Problem::TooDeep { most: MAX_DEPTH });
        }
        self.depth += 1;
        let result = inside(self);
        self.depth -= 1;
        result
    }

    fn sequence(&mut self, pieces: &Sequence, scope: &Arc<Scope>, around: Around) -> Compiled {
        self.deeper(|this| {
            let assigns: Vec<&Assign> = pieces
                .iter()
                .filter_map(|piece| match piece {
                    Piece::Assign(assign) => Some(assign),
                    _ => None,
                })
                .collect();
            if assigns.is_empty() {
                this.pieces(pieces, scope, around)
            } else {
                let scope = Scope::inside(scope, this.next_scope());
                this.assigned(&assigns, pieces, scope, around)
            }
        })
    }

    fn next_scope(&mut self) -> usize {
        self.scopes += 1;
        self.scopes
    }

    /// The pieces with the variables that are assigned among them; assignments hold for the whole sequence.
    fn assigned(
        &mut self,
        assigns: &[&Assign],
        pieces: &Sequence,
        mut scope: Scope,
        around: Around,
    ) -> Compiled {
        for (i, assign) in assigns.iter().enumerate() {
            if !assign.overwrite && scope.get(&assign.name).is_some() {
                continue;
            }
            if !assign.immediate || literal(&assign.value).is_some() {
                scope.bind(&assign.name, Binding::Later(assign.value.clone(), None));
                continue;
            }
            let rest = assigns.get(i + 1..).unwrap_or_default();
            return self.deeper(|this| this.immediate(assign, rest, pieces, scope, around));
        }
        self.pieces(pieces, &Arc::new(scope), around)
    }

    /// `${x=!...}`: a value that is chosen once, and what follows.
    fn immediate(
        &mut self,
        assign: &Assign,
        rest: &[&Assign],
        pieces: &Sequence,
        scope: Scope,
        around: Around,
    ) -> Compiled {
        let outside = Arc::new(scope);
        let value = self.sequence(&assign.value, &outside, around)?;
        if let Some(text) = value.as_text() {
            let scope = outside.with(self.next_scope(), &assign.name, Binding::Now(text.clone()));
            return self.assigned(rest, pieces, scope, around);
        }
        let slot = self.slots;
        self.slots += 1;
        let binding = Binding::Slot(slot, value.longest);
        let scope = outside.with(self.next_scope(), &assign.name, binding);
        match self.assigned(rest, pieces, scope, around) {
            Ok(body) => self.made(Node::with_slot(slot, value, body)),
            Err(Stop::NeedsText(needed)) if needed == slot => {
                let everything = self.sequence(&assign.value, &outside, EVERYTHING)?;
                let mut cases = Vec::new();
                for text in self.texts(&everything)? {
                    let scope = outside.with(self.next_scope(), &assign.name, Binding::Now(text.clone()));
                    cases.push((text, self.assigned(rest, pieces, scope, around)?));
                }
                self.made(Node::switch(value, cases))
            }
            Err(stop) => Err(stop),
        }
    }

    /// All texts of a node, for looking them up.
    fn texts(&self, node: &Node) -> Compiled<Vec<Arc<str>>> {
        if let Some(slot) = node.open.first() {
            return Err(Stop::NeedsText(*slot));
        }
        let Some(values) = node.values(MAX_NAMES) else {
            return self.stop(Problem::TooManyNames { most: MAX_NAMES });
        };
        let mut seen = std::collections::HashSet::new();
        Ok(values.into_iter().filter(|text| seen.insert(text.clone())).collect())
    }

    fn pieces(&mut self, pieces: &Sequence, scope: &Arc<Scope>, around: Around) -> Compiled {
        let mut parts = Vec::with_capacity(pieces.len());
        for piece in pieces.iter() {
            if self.wildcards.is_empty() && self.values.is_empty() {
                match piece {
                    Piece::Variants(Variants { span, .. })
                    | Piece::Wildcard(Wildcard { span, .. })
                    | Piece::Use(Use { span, .. }) => self.place = *span,
                    _ => {}
                }
            }
            let node = match piece {
                Piece::Text(text) => Node::text(text.as_str()),
                Piece::Variants(variants) => self.variants(variants, scope, around)?,
                Piece::Wildcard(wildcard) => {
                    self.wildcard(wildcard, &Bounds::default(), wildcard.method, scope, around, false)?
                }
                Piece::Use(used) => self.used(used, scope, around)?,
                Piece::Wrap(wrap) => {
                    let wrapper = self.sequence(&wrap.wrapper, scope, around)?;
                    Node::wrap(wrapper, self.sequence(&wrap.inner, scope, around)?)
                }
                Piece::Assign(_) => continue,
            };
            parts.push(self.made(node)?);
        }
        Ok(Node::sequence(parts))
    }

    fn variants(&mut self, variants: &Variants, scope: &Arc<Scope>, around: Around) -> Compiled {
        self.asks_for_all |= variants.method == Some(Method::Combinatorial);
        // A single option that is a wildcard stands for all of the wildcard's values.
        if let [option] = variants.options.as_slice() {
            let later;
            let mut single = &*option.value;
            if let [Piece::Use(used)] = single
                && let Some(Binding::Later(value, None)) = scope.get(&used.name)
            {
                later = value.clone();
                single = &later;
            }
            if let [Piece::Wildcard(wildcard)] = single {
                let method = variants.method.or(wildcard.method);
                return self.wildcard(wildcard, &variants.bounds, method, scope, around, true);
            }
        }
        let method = around.effective(variants.method);
        let inside = around.inside(method);
        let mut options = Vec::new();
        for option in variants.options.iter().filter(|it| it.weight > 0.0) {
            options.push((self.sequence(&option.value, scope, inside)?, option.weight));
        }
        Ok(Node::choice(method, options, &variants.bounds, true))
    }

    fn used(&mut self, used: &Use, scope: &Arc<Scope>, around: Around) -> Compiled {
        let (value, scope) = match scope.get(&used.name) {
            Some(Binding::Now(text)) => return Ok(Node::text(text)),
            Some(Binding::Slot(slot, longest)) => return Ok(Node::slot(slot, longest)),
            Some(Binding::Later(value, captured)) => (value, captured.unwrap_or_else(|| scope.clone())),
            None => match (&used.default, &self.config.unknown_variable) {
                (Some(default), _) => (default.clone(), scope.clone()),
                // As in dynamic prompts: in the name of a wildcard, a variable stands for its own name.
                (None, _) if self.in_name => return Ok(Node::text(used.name.as_str())),
                (None, Some(text)) => return Ok(Node::text(text.as_str())),
                (None, None) => return self.stop(Problem::UnknownVariable { name: used.name.clone() }),
            },
        };
        let what = Arc::as_ptr(&value).cast::<()>() as usize;
        if self.values.contains(&what) {
            return self.stop(Problem::VariableCycle { name: used.name.clone() });
        }
        let key = Key { what, method: None, scope: scope.id, around, in_name: self.in_name };
        if let Some(node) = self.memo.get(&key) {
            return Ok(node.clone());
        }
        self.values.push(what);
        let node = self.sequence(&value, &scope, around);
        self.values.pop();
        let node = node?;
        self.memo.insert(key, node.clone());
        Ok(node)
    }

    fn wildcard(
        &mut self,
        wildcard: &Wildcard,
        bounds: &Bounds,
        asked: Option<Method>,
        scope: &Arc<Scope>,
        around: Around,
        distinct: bool,
    ) -> Compiled {
        self.asks_for_all |= asked == Some(Method::Combinatorial);
        let scope = match wildcard.variables.as_slice() {
            [] => scope.clone(),
            variables => {
                let mut inner = Scope::inside(scope, self.next_scope());
                for (name, value) in variables {
                    // What a parameter says is meant where it is written.
                    inner.bind(name, Binding::Later(value.clone(), Some(scope.clone())));
                }
                Arc::new(inner)
            }
        };
        if let Some(name) = literal(&wildcard.name) {
            return self.named(name, bounds, asked, &scope, around, distinct);
        }
        let was_in_name = std::mem::replace(&mut self.in_name, true);
        let names = self.names(&wildcard.name, &scope, around);
        self.in_name = was_in_name;
        let (value, texts) = names?;
        if let [name] = texts.as_slice() {
            return self.named(name, bounds, asked, &scope, around, distinct);
        }
        let mut cases = Vec::with_capacity(texts.len());
        for name in texts {
            let node = self.named(&name, bounds, asked, &scope, around, distinct)?;
            cases.push((name, node));
        }
        self.made(Node::switch(value, cases))
    }

    /// A name with variables or variants in it: as it is drawn, and all it can be.
    fn names(
        &mut self,
        name: &Sequence,
        scope: &Arc<Scope>,
        around: Around,
    ) -> Compiled<(NodeRef, Vec<Arc<str>>)> {
        let value = self.sequence(name, scope, around)?;
        let all = self.sequence(name, scope, EVERYTHING)?;
        let texts = self.texts(&all)?;
        Ok((value, texts))
    }

    fn named(
        &mut self,
        name: &str,
        bounds: &Bounds,
        asked: Option<Method>,
        scope: &Arc<Scope>,
        around: Around,
        distinct: bool,
    ) -> Compiled {
        let list = match self.lists.get(name, self.config) {
            Ok(list) => list,
            Err(Problem::MissingWildcard { .. }) if self.config.keep_missing_wildcards => {
                let wrap = &self.config.wildcard_wrap;
                return Ok(Node::text(format!("{wrap}{name}{wrap}")));
            }
            Err(problem) => return self.stop(problem),
        };
        let plain = !distinct && *bounds == Bounds::default();
        let what = Arc::as_ptr(&list).cast::<()>() as usize;
        let key = Key { what, method: asked, scope: scope.id, around, in_name: self.in_name };
        if plain && let Some(node) = self.memo.get(&key) {
            return Ok(node.clone());
        }
        if let Some(first) = self.wildcards.iter().position(|it| *it == list.name) {
            let mut path: Vec<String> = self.wildcards.get(first..).unwrap_or_default().to_vec();
            path.push(list.name.clone());
            return self.stop(Problem::WildcardCycle { path });
        }
        let method = around.effective(asked);
        let inside = around.inside(method);
        self.wildcards.push(list.name.clone());
        let was_in_name = std::mem::replace(&mut self.in_name, false);
        let mut options = Vec::with_capacity(list.items.len());
        for item in &list.items {
            let node = match &item.text {
                Some(text) => text.clone(),
                None => self.sequence(&item.value, scope, inside)?,
            };
            options.push((self.made(node)?, item.weight));
        }
        self.in_name = was_in_name;
        self.wildcards.pop();
        let node = Node::choice(method, options, bounds, distinct);
        if plain {
            self.memo.insert(key, node.clone());
        }
        Ok(node)
    }
}

/// For finding everything that something can be.
const EVERYTHING: Around =
    Around { method: Method::Combinatorial, whole: true, purpose: Purpose::Everything };
