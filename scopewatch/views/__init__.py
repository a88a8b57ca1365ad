"""Rich renderables made from model data: nothing here prints, records or decides."""
