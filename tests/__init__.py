"""The tests. What they reach of `model`, `proof` and `views`, by branch, counting the children that they fork:

python -m pip install 'coverage>=7.10'
python -m coverage run -m pytest && python -m coverage combine -q
for package in model proof views; do
    python -m coverage report --include="scopewatch/$package/*" --skip-covered --fail-under=95
done
"""
