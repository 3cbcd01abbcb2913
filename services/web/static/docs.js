// Draws the API reference; the bundle before this script has made SwaggerUIBundle known.

const reference = document.getElementById("reference");

window.SwaggerUIBundle({
  url: reference.dataset.document,
  domNode: reference,
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: -1,
  validatorUrl: null,
});
