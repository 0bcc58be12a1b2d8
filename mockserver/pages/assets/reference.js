"use strict";
(() => {
  const place = document.getElementById("reference");
  const key = document.getElementById("key");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const METHODS = ["get", "put", "post", "delete", "options", "head", "patch"];

  function shade() {
    document.documentElement.classList.toggle("dark-mode", dark.matches);
  }

  function authorize() {
    // Swagger UI can't log out whom it has not let in.
    if (ui.authSelectors.authorized().size) ui.authActions.logout(["bearerKey", "headerKey"]);
    if (key.value) ui.preauthorizeApiKey("bearerKey", key.value);
  }

  // The renderer leaves these without a name, or out of a keyboard's reach.
  function mend() {
    for (const field of place.querySelectorAll("tr[data-param-name] :is(input, select):not([aria-label])")) {
      field.ariaLabel = field.closest("tr").dataset.paramName;
    }
    for (const field of place.querySelectorAll(".body-param textarea:not([aria-label])")) field.ariaLabel = "Request body";
    for (const text of place.querySelectorAll("pre.microlight:not([tabindex]), pre.curl:not([tabindex])")) text.tabIndex = 0;
  }

  shade();
  new MutationObserver(mend).observe(place, { childList: true, subtree: true });
  dark.addEventListener("change", shade);
  const ui = SwaggerUIBundle({
    url: place.dataset.document,
    domNode: place,
    deepLinking: true,
    docExpansion: "list",
    filter: true,
    tryItOutEnabled: true,
    defaultModelsExpandDepth: -1,
    displayRequestDuration: true,
    supportedSubmitMethods: METHODS,
    validatorUrl: null,
    onComplete() {
      if (key) authorize();
      place.dataset.ready = "yes";
    },
  });
  if (key) key.addEventListener("change", authorize);
})();
