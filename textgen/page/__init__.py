"""One page for people: plain HTML, CSS and JavaScript modules, without a build step or outside addresses."""
