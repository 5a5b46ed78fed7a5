// Shows openapi.json with Swagger UI. Requests can't be tried out there: they need a signature.
window.addEventListener('DOMContentLoaded', () => {
  window.SwaggerUIBundle({
    url: '../openapi.json',
    dom_id: '#viewer',
    deepLinking: true,
    docExpansion: 'list',
    defaultModelsExpandDepth: 0,
    displayOperationId: true,
    filter: true,
    supportedSubmitMethods: [],
    // It would send the description to a server of somebody else.
    validatorUrl: null,
  });
});
