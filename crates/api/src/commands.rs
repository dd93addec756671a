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

            /// Makes the index again from the files; its progress comes as events.
            library rebuild_library(Empty) -> TaskStarted;
            /// Looks for files that were moved, renamed, deleted or added; its progress comes as events.
            library reconcile_library(Empty) -> TaskStarted;
        }
    };
}
pub(crate) use with_commands;
