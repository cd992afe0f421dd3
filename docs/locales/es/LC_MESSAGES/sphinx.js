// Lo que dice el buscador. Sphinx trae estas frases en español, pero unas con erratas y otras sin traducir.
Documentation.addTranslations({
  "locale": "es",
  "messages": {
    ", in ": ", en ",
    "Hide Search Matches": "Quitar el resaltado de la búsqueda",
    "Preparing search...": "Preparando la búsqueda…",
    "Search Results": "Resultados de la búsqueda",
    "Searching": "Buscando",
    "Search finished, found one page matching the search query.": [
      "Se encontró una página.",
      "Se encontraron ${resultCount} páginas."
    ],
    "Your search did not match any documents. Please make sure that all words are spelled correctly and that you've selected enough categories.": "Ninguna página contiene esas palabras. Revisa cómo están escritas o prueba con menos."
  },
  "plural_expr": "n == 1 ? 0 : 1"
});
