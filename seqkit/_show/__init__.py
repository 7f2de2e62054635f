"""How things are shown without matplotlib and widgets: HTML, colours, pictures as SVG, layouts, spreadsheets."""
