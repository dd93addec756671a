//! What a picture or a text from elsewhere says of how it was made.
