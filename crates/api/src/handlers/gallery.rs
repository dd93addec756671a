//! Pictures: looked at, sorted, judged.

use tarim_library::search::{self, Filter, Is, Query, Term};
use tarim_library::{
    Collection as LibraryCollection, NameCount, PictureSummary as Summary, search::Sort as Order,
};
use tarim_recipe::{Draft, Infotext, Recipe, infotext};
use tarim_studio::Topic;
use tarim_studio::prompts::Utf16Places;

use super::Answer;
use crate::convert;
use crate::dispatch::Door;
use crate::error::{ErrorCode, WireError};
use crate::wire::create::Name;
use crate::wire::gallery::{
    Collection, CollectionMembers, Collections, DayGroup, Facets, GalleryLayout, GalleryQuery, Keys, Lineage,
    LineageMember, NamedCount, PictureDetail, PictureSummary, Pictures, RenameCollection, Sort,
    UpdatePictures,
};
use crate::wire::{Changed, Empty, Id, Ids, Remark, RemarkSeverity};

/// The most pictures that are described at once.
const MOST_DESCRIBED: usize = 1_000;
/// The longest query, in bytes.
const LONGEST_QUERY: usize = 10_000;

/// A query as typed, read, with what is odd about it.
pub(super) fn read_query(text: &str) -> Answer<(Query, Vec<Remark>)> {
    if text.len() > LONGEST_QUERY {
        let message = format!("the search has {} bytes; {LONGEST_QUERY} are allowed", text.len());
        return Err(WireError::new(ErrorCode::BadInput, message).hint("look for less at once"));
    }
    let query = search::parse(text);
    let mut places = Utf16Places::new(text);
    let remark = |diagnostic: &tarim_library::Diagnostic| Remark {
        from: places.of(diagnostic.span.start),
        to: places.of(diagnostic.span.end),
        code: "query".to_owned(),
        severity: RemarkSeverity::Warning,
        message: diagnostic.message.clone(),
        suggestion: diagnostic.suggestion.clone(),
    };
    let remarks = query.diagnostics.iter().map(remark).collect();
    Ok((query, remarks))
}

pub(crate) fn layout_pictures(door: &Door<'_>, request: GalleryQuery) -> Answer<GalleryLayout> {
    let (mut query, remarks) = read_query(&request.query)?;
    let mut also = |filter| query.terms.push(Term { negated: false, filter });
    if let Some(collection) = request.collection {
        also(Filter::Collection(collection));
    }
    if request.trashed {
        also(Filter::Is(Is::Trashed));
    }
    let order = match request.sort {
        Sort::Newest => Order::Newest,
        Sort::Oldest => Order::Oldest,
        Sort::Rating => Order::BestRated,
        Sort::Name => Order::Name,
        Sort::Collection => Order::Collection,
    };
    let layout = door.studio.library()?.layout(&query, order, None, u32::MAX)?;
    let mut keys = Vec::with_capacity(layout.cells.len());
    let mut aspects = Vec::with_capacity(layout.cells.len());
    let mut days: Vec<(i32, u32)> = Vec::new();
    let by_time = matches!(order, Order::Newest | Order::Oldest);
    for cell in &layout.cells {
        keys.push(cell.key);
        let aspect = u64::from(cell.width) * 1000 / u64::from(cell.height.max(1));
        aspects.push(u32::try_from(aspect).unwrap_or(u32::MAX).max(1));
        match days.last_mut() {
            Some((day, count)) if *day == cell.day => *count += 1,
            _ if by_time => days.push((cell.day, 1)),
            _ => {}
        }
    }
    let day = |(day, count): (i32, u32)| DayGroup {
        day: format!("{:04}-{:02}-{:02}", day / 10_000, day / 100 % 100, day % 100),
        count,
    };
    Ok(GalleryLayout { keys, aspects, days: days.into_iter().map(day).collect(), remarks })
}

pub(super) fn summary(found: Summary) -> PictureSummary {
    PictureSummary {
        id: found.id.to_string(),
        key: found.key,
        version: format!("{:x}", found.version),
        width: found.width,
        height: found.height,
        created: found.created.ms as f64,
        rating: found.rating,
        flag: found.flag.into(),
        prompt: found.prompt,
        seed: found.seed.map(|seed| seed.to_string()),
        tags: found.tags,
        trashed: found.trashed_at.is_some(),
        missing: found.missing,
    }
}

fn few(number: usize) -> Answer<()> {
    if number <= MOST_DESCRIBED {
        return Ok(());
    }
    let message = format!("{number} pictures were asked for at once; {MOST_DESCRIBED} are allowed");
    Err(WireError::new(ErrorCode::BadInput, message))
}

pub(crate) fn get_pictures(door: &Door<'_>, request: Keys) -> Answer<Pictures> {
    few(request.keys.len())?;
    let found = door.studio.library()?.summaries_by_key(&request.keys)?;
    Ok(Pictures { pictures: found.into_iter().map(summary).collect() })
}

pub(crate) fn find_pictures(door: &Door<'_>, request: Ids) -> Answer<Pictures> {
    few(request.ids.len())?;
    let found = door.studio.library()?.summaries(&convert::ids(&request.ids)?)?;
    Ok(Pictures { pictures: found.into_iter().map(summary).collect() })
}

pub(crate) fn get_picture(door: &Door<'_>, request: Id) -> Answer<PictureDetail> {
    let details = door.studio.library()?.picture(convert::id(&request.id)?)?;
    let found = details.summary;
    let recipe = details.recipe.as_deref().and_then(|json| Recipe::from_json(json).ok());
    let text = match (&recipe, details.infotext) {
        (Some(recipe), _) => infotext(recipe, &format!("Tarim {}", env!("CARGO_PKG_VERSION"))),
        (None, text) => text.unwrap_or_default(),
    };
    let draft = match &recipe {
        Some(recipe) => Some(Draft::from(recipe)),
        None if text.trim().is_empty() => None,
        None => Some(Infotext::read(&text).to_draft().0),
    };
    Ok(PictureDetail {
        draft,
        infotext: text,
        recipe_json: details.recipe,
        file: found.path.clone(),
        bytes: found.bytes as f64,
        project: found.project.clone(),
        collections: details.collections,
        request: found.request.map(|id| id.to_string()),
        parent: found.parent.map(|id| id.to_string()),
        derivation: found.derivation.map(Into::into),
        summary: summary(found),
    })
}

pub(crate) fn update_pictures(door: &Door<'_>, request: UpdatePictures) -> Answer<Changed> {
    let UpdatePictures { ids, rating, flag, add_tags, remove_tags, project } = request;
    let ids = convert::ids(&ids)?;
    if let Some(rating) = rating.filter(|rating| *rating > 5) {
        let message = format!("the rating is {rating}; allowed are 0 (none) to 5");
        return Err(WireError::new(ErrorCode::BadInput, message));
    }
    let library = door.studio.library()?;
    let mut changed = 0;
    if let Some(rating) = rating {
        changed = changed.max(library.set_rating(&ids, rating)?);
    }
    if let Some(flag) = flag {
        changed = changed.max(library.set_flag(&ids, flag.into())?);
    }
    if !remove_tags.is_empty() {
        changed = changed.max(library.remove_tags(&ids, &remove_tags)?);
    }
    if !add_tags.is_empty() {
        changed = changed.max(library.add_tags(&ids, &add_tags)?);
    }
    if let Some(project) = project {
        let project = Some(project.trim()).filter(|project| !project.is_empty());
        changed = changed.max(library.set_project(&ids, project)?);
    }
    door.studio.edited(&[Topic::Pictures]);
    Ok(Changed { changed: convert::count(changed) })
}

pub(crate) fn trash_pictures(door: &Door<'_>, request: Ids) -> Answer<Changed> {
    let ids = convert::ids(&request.ids)?;
    let trashed = door.studio.library()?.trash(&ids, door.studio.now());
    door.studio.changed(&[Topic::Pictures, Topic::Collections]);
    Ok(Changed { changed: convert::count(trashed?) })
}

pub(crate) fn restore_pictures(door: &Door<'_>, request: Ids) -> Answer<Changed> {
    let ids = convert::ids(&request.ids)?;
    let restored = door.studio.library()?.restore(&ids);
    door.studio.changed(&[Topic::Pictures, Topic::Collections]);
    Ok(Changed { changed: convert::count(restored?.len()) })
}

pub(crate) fn empty_trash(door: &Door<'_>, request: Ids) -> Answer<Changed> {
    let ids = convert::ids(&request.ids)?;
    let ids = if ids.is_empty() { None } else { Some(&ids[..]) };
    let emptied = door.studio.library()?.empty_trash(ids);
    door.studio.changed(&[Topic::Pictures]);
    Ok(Changed { changed: convert::count(emptied?.pictures) })
}

pub(crate) fn get_facets(door: &Door<'_>, _: Empty) -> Answer<Facets> {
    let library = door.studio.library()?;
    let counts = |counts: Vec<NameCount>| -> Vec<NamedCount> {
        let mut counts: Vec<_> = counts
            .into_iter()
            .map(|it| NamedCount { name: it.name, count: convert::count(it.pictures) })
            .collect();
        counts.sort_by_key(|it| std::cmp::Reverse(it.count));
        counts
    };
    let mut projects = counts(library.projects()?);
    projects.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Facets {
        tags: counts(library.tags()?),
        projects,
        models: counts(library.model_counts()?),
        samplers: counts(library.sampler_counts()?),
    })
}

fn collection(found: LibraryCollection) -> Collection {
    Collection {
        id: found.name.clone(),
        name: found.name,
        count: convert::count(found.pictures),
        cover: found.cover.map(|id| id.to_string()),
    }
}

pub(crate) fn list_collections(door: &Door<'_>, _: Empty) -> Answer<Collections> {
    let found = door.studio.library()?.collections()?;
    Ok(Collections { collections: found.into_iter().map(collection).collect() })
}

pub(crate) fn create_collection(door: &Door<'_>, request: Name) -> Answer<Collection> {
    let library = door.studio.library()?;
    let before: Vec<String> = library.collections()?.into_iter().map(|it| it.name).collect();
    library.create_collection(&request.name)?;
    door.studio.changed(&[Topic::Collections]);
    // The name may have been tidied: the new one is the one that was not there before.
    let mut all = library.collections()?;
    let new = all.iter().position(|it| !before.contains(&it.name));
    let same = || all.iter().position(|it| it.name == request.name.trim());
    match new.or_else(same) {
        Some(at) => Ok(collection(all.swap_remove(at))),
        None => Err(WireError::new(ErrorCode::Conflict, "the collection is gone again")),
    }
}

pub(crate) fn rename_collection(door: &Door<'_>, request: RenameCollection) -> Answer<Collections> {
    door.studio.library()?.rename_collection(&request.id, &request.name)?;
    door.studio.edited(&[Topic::Collections]);
    list_collections(door, Empty {})
}

pub(crate) fn delete_collection(door: &Door<'_>, request: Id) -> Answer<Collections> {
    door.studio.library()?.delete_collection(&request.id)?;
    door.studio.edited(&[Topic::Collections]);
    list_collections(door, Empty {})
}

pub(crate) fn add_to_collection(door: &Door<'_>, request: CollectionMembers) -> Answer<Changed> {
    let ids = convert::ids(&request.pictures)?;
    let changed = door.studio.library()?.add_to_collection(&request.id, &ids)?;
    door.studio.edited(&[Topic::Collections]);
    Ok(Changed { changed: convert::count(changed) })
}

pub(crate) fn remove_from_collection(door: &Door<'_>, request: CollectionMembers) -> Answer<Changed> {
    let ids = convert::ids(&request.pictures)?;
    let changed = door.studio.library()?.remove_from_collection(&request.id, &ids)?;
    door.studio.edited(&[Topic::Collections]);
    Ok(Changed { changed: convert::count(changed) })
}

pub(crate) fn get_lineage(door: &Door<'_>, request: Id) -> Answer<Lineage> {
    let lineage = door.studio.library()?.lineage(convert::id(&request.id)?)?;
    let mut members: Vec<LineageMember> = Vec::with_capacity(lineage.nodes.len());
    let mut places = std::collections::HashMap::new();
    for node in lineage.nodes {
        let derivation = node.picture.as_ref().and_then(|picture| picture.derivation).map(Into::into);
        // An input that is no picture of the library stands as a member of its own above its picture.
        let input = node.input.map(|sha256| {
            members.push(LineageMember {
                picture: None,
                input: Some(sha256),
                parent: None,
                derivation: None,
            });
            convert::count(members.len() - 1)
        });
        let parent = node.parent.and_then(|parent| places.get(&parent).copied()).or(input);
        places.insert(node.id, convert::count(members.len()));
        members.push(LineageMember { picture: node.picture.map(summary), input: None, parent, derivation });
    }
    Ok(Lineage { members })
}
