//! The list of commands, once. Dispatch and TypeScript come from it, and every door serves what it lists.

/// Calls `$then!` with every command: documentation, area, name, request, response.
macro_rules! with_commands {
    ($then:ident) => {
        $then! {
            /// Who this is, and in what state.
            app hello(Empty) -> Hello;

            /// The settings.
            settings get_settings(Empty) -> Settings;
            /// Changes settings and gives them back whole.
            settings change_settings(ChangeSettings) -> Settings;
            /// What a name template makes.
            settings preview_names(PreviewNames) -> NamePreview;
            /// The devices of this machine; starts a renderer.
            settings list_devices(Empty) -> Devices;
            /// Measures a device; takes some seconds.
            settings test_device(TestDevice) -> DeviceReport;

            /// Names for menus, and limits.
            create get_choices(Empty) -> Choices;
            /// How a prompt is read: tokens and remarks.
            create describe_prompt(DescribePrompt) -> PromptDescription;
            /// Puts pictures into the queue.
            create submit(Submit) -> Submitted;
            /// How long that would take.
            create estimate(EstimateRequest) -> Estimate;
            /// Reads an infotext, a recipe or a prompt that was pasted.
            create read_infotext(ReadInfotext) -> FoundRecipe;
            /// Reads what an uploaded picture says of itself.
            create read_input(InputId) -> FoundRecipe;
            /// Makes a picture of the library an input.
            create input_from_picture(Id) -> Input;
            /// Extends a canvas and makes the mask that goes with it.
            create prepare_outpaint(PrepareOutpaint) -> Outpaint;
            /// The styles of `styles.csv`.
            create list_styles(Empty) -> Styles;
            /// Saves a style.
            create save_style(SaveStyle) -> Styles;
            /// Deletes a style.
            create delete_style(Name) -> Styles;
            /// Puts styles into prompts.
            create apply_styles(ApplyStyles) -> AppliedStyles;
            /// The presets.
            create list_presets(Empty) -> Presets;
            /// Saves a preset under its name.
            create save_preset(Preset) -> Presets;
            /// Deletes a preset.
            create delete_preset(Name) -> Presets;

            /// Where every picture of a gallery stands.
            gallery layout_pictures(GalleryQuery) -> GalleryLayout;
            /// Pictures by their keys.
            gallery get_pictures(Keys) -> Pictures;
            /// Pictures by their ids.
            gallery find_pictures(Ids) -> Pictures;
            /// Everything about a picture.
            gallery get_picture(Id) -> PictureDetail;
            /// Rates, flags, tags, files under a project.
            gallery update_pictures(UpdatePictures) -> Changed;
            /// Moves pictures to the trash.
            gallery trash_pictures(Ids) -> Changed;
            /// Takes pictures out of the trash.
            gallery restore_pictures(Ids) -> Changed;
            /// Deletes what is in the trash, for good: these, or all when none is named.
            gallery empty_trash(Ids) -> Changed;
            /// What filters can offer.
            gallery get_facets(Empty) -> Facets;
            /// The collections.
            gallery list_collections(Empty) -> Collections;
            /// Makes a collection.
            gallery create_collection(Name) -> Collection;
            /// Renames a collection.
            gallery rename_collection(RenameCollection) -> Collections;
            /// Deletes a collection; its pictures stay.
            gallery delete_collection(Id) -> Collections;
            /// Puts pictures into a collection.
            gallery add_to_collection(CollectionMembers) -> Changed;
            /// Takes pictures out of a collection.
            gallery remove_from_collection(CollectionMembers) -> Changed;
            /// Crops pictures to new files beside them, which know where they come from.
            derive crop_pictures(CropPictures) -> Derived;
            /// Enlarges pictures to new files beside them, without drawing.
            derive upscale_pictures(UpscalePictures) -> Derived;
            /// What to submit so that a picture is drawn again, larger.
            derive prepare_redraw(PrepareRedraw) -> Submit;
            /// A picture's family.
            gallery get_lineage(Id) -> Lineage;

            /// A page of the history.
            history page_history(HistoryQuery) -> HistoryPage;
            /// One request.
            history get_request(Id) -> HistoryEntry;

            /// The queue.
            queue get_queue(Empty) -> Queue;
            /// Pauses the queue or lets it go on.
            queue pause_queue(PauseQueue) -> Queue;
            /// Cancels jobs that wait or run.
            queue cancel_jobs(WhichJobs) -> Changed;
            /// Queues failed jobs again.
            queue retry_jobs(WhichJobs) -> Changed;
            /// Takes failed jobs off the list; the history keeps them.
            queue clear_failed(WhichJobs) -> Changed;
            /// Moves waiting jobs.
            queue move_jobs(MoveJobs) -> Queue;
            /// Gives waiting jobs a priority.
            queue prioritise_jobs(PrioritiseJobs) -> Queue;

            /// The prompt sets.
            sets list_sets(ListSets) -> SetList;
            /// A set without its rows.
            sets get_set(Id) -> SetDetail;
            /// Makes a set or a comparison.
            sets create_set(CreateSet) -> SetDetail;
            /// Reads a file into a set.
            sets import_set(ImportSet) -> ImportedSet;
            /// Gives a set another name.
            sets rename_set(NameSet) -> SetDetail;
            /// Copies a set.
            sets duplicate_set(NameSet) -> SetDetail;
            /// Moves a set to the trash.
            sets trash_set(Id) -> Empty;
            /// Takes a set out of the trash.
            sets restore_set(Id) -> Empty;
            /// Deletes a set of the trash for good; its pictures stay.
            sets delete_set(Id) -> Empty;
            /// Changes what holds for all rows, or a comparison's axes.
            sets change_set(ChangeSet) -> SetDetail;
            /// A page of rows.
            sets page_rows(PageRows) -> RowsPage;
            /// Edits a set's table.
            sets edit_set(EditSet) -> EditedSet;
            /// Takes the last edit back.
            sets undo_set(Id) -> SetDetail;
            /// Makes the edit again that was taken back last.
            sets redo_set(Id) -> SetDetail;
            /// What is wrong with a page of rows.
            sets check_rows(PageRows) -> RowsCheck;
            /// What a template makes.
            sets preview_template(PreviewTemplate) -> TemplatePreview;
            /// The texts that templates can draw from.
            sets list_wildcards(Empty) -> Wildcards;
            /// How an axis of a comparison is read.
            sets read_axis(ReadAxis) -> AxisPreview;
            /// What a run would be.
            sets plan_set(RunSet) -> Plan;
            /// Runs a set: what does not exist goes into the queue.
            sets run_set(RunSet) -> RunStarted;
            /// The runs.
            sets list_batches(ListBatches) -> Batches;
            /// A run.
            sets get_batch(Id) -> BatchDetail;
            /// Pauses a run or lets it go on.
            sets pause_batch(PauseBatch) -> Batch;
            /// Changes when a run may begin pictures.
            sets change_batch(ChangeBatch) -> Batch;
            /// Cancels what is left of a run.
            sets cancel_batch(Id) -> Batch;
            /// Queues failed pictures of a run again.
            sets retry_batch(RetryBatch) -> Batch;
            /// Takes a run off the list; its pictures stay.
            sets dismiss_batch(Id) -> Empty;
            /// Finished pictures of a run.
            sets page_batch(PageBatch) -> BatchPictures;
            /// The grid of a comparison's run.
            sets get_grid(Id) -> Grid;

            /// The models.
            models list_models(Empty) -> Models;
            /// Looks through the folders again.
            models rescan_models(Empty) -> Models;
            /// Adds a folder of models, which stays where it is.
            models add_model_folder(Folder) -> Models;
            /// Forgets a folder of models, which stays where it is.
            models remove_model_folder(Folder) -> Models;
            /// Computes a model's hash; its progress comes as events.
            models hash_model(Id) -> TaskStarted;

            /// What is chosen about the render farm.
            farm get_farm(Empty) -> FarmSettings;
            /// Chooses it.
            farm change_farm(FarmSettings) -> FarmSettings;
            /// The farm's workers; asks its server.
            farm list_workers(Empty) -> FarmWorkers;
            /// The farm as a whole; asks its server.
            farm farm_status(Empty) -> FarmStatus;

            /// Makes the index again from the files; its progress comes as events.
            library rebuild_library(Empty) -> TaskStarted;
            /// Looks for files that were moved, renamed, deleted or added; its progress comes as events.
            library reconcile_library(Empty) -> TaskStarted;
        }
    };
}
pub(crate) use with_commands;
